const fewestDigits = 13

/** Character codes. */
const tab = 9
const space = 32
const quote = 34
const percent = 37
const apostrophe = 39
const hyphen = 45
const zero = 48
const nine = 57
const colon = 58
const equals = 61
const at = 64
const capitalA = 65
const capitalJ = 74
const capitalV = 86
const capitalZ = 90
const underscore = 95
const smallA = 97
const smallC = 99
const smallD = 100
const smallE = 101
const smallI = 105
const smallN = 110
const smallP = 112
const smallR = 114
const smallT = 116
const smallY = 121
const hardSpace = 160

/**
 * Whether a text has anything that a detector looks for. Most texts have not, and every line of the log is asked: one pass
 * over its characters costs a tenth of what the patterns would.
 */
export function mayNeedMask(text: string): boolean {
  let digits = 0
  let before = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code >= zero && code <= nine) {
      digits += 1
      if (digits === fewestDigits) return true
    } else if (digits > 0 && !(isBetweenDigits(code) && before >= zero && before <= nine)) digits = 0
    if (code < smallA && isSign(text, index, code, before)) return true
    before = code
  }
  return false
}

function isBetweenDigits(code: number): boolean {
  return code === hyphen || code === space || code === hardSpace
}

function isSign(text: string, index: number, code: number, before: number): boolean {
  if (code >= capitalA && code <= capitalZ) return isSignInCapitals(text, index, code, before)
  switch (code) {
    case at:
    case equals:
      return true
    case percent:
      return text.startsWith('40', index + 1)
    case colon:
      return before === quote || before === apostrophe || before === space || endsName(before)
    case underscore:
      return before === smallC || before === smallP
    case space:
    case tab:
      return followsScheme(text, index, before)
    default:
      return false
  }
}

/** A token of JSON, a private key, a country with its check digits. */
function isSignInCapitals(text: string, index: number, code: number, before: number): boolean {
  if (code === capitalJ && before === smallY) return true
  if (before < capitalA || before > capitalZ) return false
  return (code === capitalV && text.startsWith('PRI', index - 3)) || isDigit(text.charCodeAt(index + 1))
}

/** Whether `bearer` or `basic` ends here. */
function followsScheme(text: string, index: number, before: number): boolean {
  const last = before | 32
  if (last !== smallR && last !== smallC) return false
  const second = text.charCodeAt(index - 2) | 32
  return second === smallE || second === smallI
}

/** The last letters of password, passphrase, secret, token and key. */
function endsName(before: number): boolean {
  const last = before | 32
  return last === smallD || last === smallE || last === smallT || last === smallN || last === smallY
}

function isDigit(code: number): boolean {
  return code >= zero && code <= nine
}
