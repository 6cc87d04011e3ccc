import { isIP } from 'node:net'
import type { ForbiddenTarget } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'
import { isTargetAddress } from './addresses.ts'

const maxUrlLength = 2048

/** Names that mean this machine or this network (RFC 6761, 6762, 8375, 7686; `.internal` is ICANN's for private use). */
const privateSuffixes: readonly string[] = ['local', 'internal', 'home.arpa', 'onion']

/**
 * What can be said of a target before its name is resolved. The host is judged as the WHATWG parser writes it, so that
 * decimal, octal, hexadecimal, percent-encoded and full-width spellings are already plain; the rest is judged as it was
 * given, because the parser also forgives what a target has no reason to contain. Any port but 0 is allowed: receivers
 * listen where they like, and the address decides.
 *
 * @param developmentAllowed http, `localhost` and loopback addresses as well
 */
export function inspectTarget(text: string, developmentAllowed: boolean): Result<URL, ForbiddenTarget> {
  const fault = faultOfText(text, developmentAllowed)
  if (fault !== null) return forbidden(fault)
  const url = URL.parse(text)
  if (url === null) return forbidden('is not a URL')
  if (url.port === '0') return forbidden('must not name port 0')
  const hostFault = faultOfHost(url.hostname, developmentAllowed)
  return hostFault === null ? ok(url) : forbidden(hostFault)
}

/** Names that need no resolver: they mean this machine wherever they are used (RFC 6761, 6.3). */
export function isLocalhost(name: string): boolean {
  const plain = withoutFinalDot(name)
  return plain === 'localhost' || plain.endsWith('.localhost')
}

function faultOfText(text: string, developmentAllowed: boolean): string | null {
  if (text.length > maxUrlLength) return `must not be longer than ${maxUrlLength} characters`
  // The parser drops some of these without a word, and takes a backslash for a slash.
  if (/[\s\p{Cc}\\]/u.test(text)) return 'must not contain spaces, control characters or backslashes'
  const authority = /^(https?):\/\/([^/?#]+)/i.exec(text)
  if (authority === null) return developmentAllowed ? 'must begin with https:// or http://' : 'must begin with https://'
  if (authority[1]?.toLowerCase() === 'http' && !developmentAllowed) return 'must begin with https://'
  if (authority[2]?.includes('@') === true) return 'must not contain user information'
  if (text.includes('#')) return 'must not have a fragment'
  return null
}

function faultOfHost(host: string, developmentAllowed: boolean): string | null {
  const address = host.startsWith('[') ? host.slice(1, -1) : host
  if (isIP(address) !== 0) return isTargetAddress(address, developmentAllowed) ? null : 'names a forbidden address'
  if (isLocalhost(host)) return developmentAllowed ? null : 'names this machine'
  const labels = withoutFinalDot(host).split('.')
  if (labels.includes('')) return 'has an empty label in its host name'
  if (labels.length === 1) return 'must name a public host'
  const isPrivate = privateSuffixes.some((suffix) => `.${labels.join('.')}`.endsWith(`.${suffix}`))
  return isPrivate ? 'must name a public host' : null
}

function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name
}

function forbidden(fault: string): Result<never, ForbiddenTarget> {
  return err({ kind: 'forbidden-target', reason: `The URL ${fault}` })
}
