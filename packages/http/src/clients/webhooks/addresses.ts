import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** IANA has handed out nothing else for use between networks: what is not in it is refused without a name. */
const globalUnicast: [ipaddr.IPv6, number] = ipaddr.IPv6.parseCIDR('2000::/3')

/** Looks public and is not: Azure's host agent, the same at every machine there. */
const platformHosts: ReadonlySet<string> = new Set(['168.63.129.16'])

/**
 * Whether a webhook may go to an address: only what is unicast on the public internet. ipaddr.js knows the registries of
 * special purpose (RFC 6890); whatever embeds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) is refused outright.
 *
 * @param address as a resolver writes it
 * @param loopbackAllowed development: 127.0.0.0/8 and ::1 as well
 */
export function isTargetAddress(address: string, loopbackAllowed: boolean): boolean {
  // A zone belongs to a link, and links are not public.
  if (isIP(address) === 0 || address.includes('%')) return false
  const parsed = ipaddr.parse(address)
  const range = parsed.range()
  if (range === 'loopback') return loopbackAllowed
  if (range !== 'unicast' || platformHosts.has(parsed.toString())) return false
  return parsed instanceof ipaddr.IPv6 ? parsed.match(globalUnicast) : true
}
