import { err, ok, type Result } from 'neverthrow'

/** `reason` never repeats what was given, because that may hold a password. */
export type InvalidAmqpUrl = Readonly<{ kind: 'invalid-amqp-url'; reason: string }>

const form = 'must be amqp://user:password@host:5672/vhost or amqps://…, several by comma for the nodes of one cluster'
const parameters: Readonly<Record<string, RegExp>> = { heartbeat: /^[1-9]\d{0,2}$/, frameMax: /^\d{4,7}$/, channelMax: /^\d{1,5}$/ }

/**
 * The URLs of the nodes of one RabbitMQ. What the driver would pass over is refused: a heartbeat that is no number would turn
 * heartbeats off, and who names a certificate in the URL believes that it counts.
 */
export function parseAmqpUrls(text: string): Result<readonly [string, ...string[]], InvalidAmqpUrl> {
  const [first, ...others] = text.split(',').map((each) => each.trim())
  if (first === undefined) return invalid(form)
  for (const each of [first, ...others]) {
    const fault = faultOf(each)
    if (fault !== null) return invalid(fault)
  }
  return ok([first, ...others])
}

function faultOf(text: string): string | null {
  const url = URL.parse(text)
  if (url === null || !['amqp:', 'amqps:'].includes(url.protocol) || url.hostname === '' || url.port === '0' || url.hash !== '') return form
  if (/^\/.*\//.test(url.pathname)) return 'takes one virtual host as its path; a slash in its name is written %2F'
  if (![url.username, url.password, url.pathname].every(isEncoded))
    return 'has a user, password or virtual host that is not percent-encoded'
  for (const [name, value] of url.searchParams) {
    const pattern = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (pattern === undefined)
      return `takes no parameters but ${Object.keys(parameters).join(', ')}; a certificate authority is named by NODE_EXTRA_CA_CERTS`
    if (!pattern.test(value)) return `has a ${name} that is no number it can be`
  }
  return null
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

function invalid(reason: string): Result<never, InvalidAmqpUrl> {
  return err({ kind: 'invalid-amqp-url', reason })
}
