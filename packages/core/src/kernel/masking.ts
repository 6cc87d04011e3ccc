import { isJsonObject, type JsonObject, type JsonValue, jsonObject } from './json.ts'
import { maskOf, maskText } from './masking-text.ts'

export { maskText } from './masking-text.ts'

/** How sensitive data is classified. What a field holds is told by the last words of its name. */
const classes: Readonly<Record<string, readonly string[]>> = {
  secret: [
    'password passwd pwd passphrase pin otp cvv cvc secret secrets token tokens jwt jwe credential credentials cookie authorization',
    'api_key api_keys access_key private_key signing_key encryption_key key_base64 pepper signature',
  ],
  card: ['pan card card_number cards'],
  account: ['iban account account_number account_no routing_number sort_code'],
  email: ['email emails e_mail mail email_address'],
  phone: ['phone phones phone_number mobile msisdn'],
  person: ['payee_name first_name last_name full_name family_name given_name birthday birth_date date_of_birth postal_address'],
}

const classOfWords: ReadonlyMap<string, string> = new Map(
  Object.entries(classes).flatMap(([name, lists]) => lists.flatMap((list) => list.split(' ').map((words) => [words, name] as const))),
)

const mostWords = 3
const deepest = 32
const namesKept = 4096

/** Names of fields are few and come again and again. */
const known = new Map<string, string | null>()

/** The class of what a field of this name holds; `null`: none that is masked. */
function classOfField(name: string): string | null {
  const kept = known.get(name)
  if (kept !== undefined) return kept
  const words = name
    .slice(-100)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  let found: string | null = null
  for (let count = 1; count <= mostWords && found === null; count += 1) found = classOfWords.get(words.slice(-count).join('_')) ?? null
  if (known.size < namesKept) known.set(name, found)
  return found
}

/** A copy without what is secret or personal: by the names of fields, and by what their texts look like. */
export function maskFields(fields: JsonObject): JsonObject {
  return maskObject(fields, 0)
}

function maskObject(object: JsonObject, depth: number): JsonObject {
  return jsonObject(Object.entries(object).map(([name, value]) => [maskText(name), maskMember(name, value, depth)]))
}

function maskMember(name: string, value: JsonValue, depth: number): JsonValue {
  const isTold = value === null || typeof value === 'boolean' || value === ''
  const fieldClass = isTold ? null : classOfField(name)
  return fieldClass === null ? maskValue(value, depth + 1) : maskOf(fieldClass)
}

function maskValue(value: JsonValue, depth: number): JsonValue {
  if (typeof value === 'string') return maskText(value)
  if (typeof value === 'number') return maskNumber(value)
  if (value === null || typeof value === 'boolean') return value
  if (depth > deepest) return maskOf('depth')
  return isJsonObject(value) ? maskObject(value, depth) : value.map((item) => maskValue(item, depth + 1))
}

/** A card number may have been taken for a number. */
function maskNumber(value: number): JsonValue {
  if (!Number.isSafeInteger(value) || value < 10 ** 12) return value
  const text = String(value)
  const masked = maskText(text)
  return masked === text ? value : masked
}
