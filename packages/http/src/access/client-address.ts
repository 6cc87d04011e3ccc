import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Block = readonly [Address, number]

/** Where a request comes from. */
export type ClientAddress = Readonly<{
  /** In its shortest form; IPv4 also where it came mapped into IPv6. `unknown` where there is no connection. */
  text: string
  /** Whose requests count together: an IPv4 address, or the /64 that one subscriber has in IPv6. */
  partition: string
}>

/** Finds the client behind the proxies that are trusted. */
export type FindAddress = (remote: string | undefined, forwardedFor: string | undefined) => ClientAddress

const unknownAddress: ClientAddress = { text: 'unknown', partition: 'ip unknown' }

const rememberedAddresses = 10_000
/** A few hops; what is longer is padding, with which nobody is to fill the memory. */
const rememberedLength = 256
/** More hops than any chain of proxies has; what lies beyond is padding. */
const hopsLimit = 32

/**
 * Each trusted proxy has appended whom it heard from, so the walk goes from the right: the first hop that is not trusted is
 * the client, and whatever it wrote to its left means nothing. An entry that is no address ends the walk at the proxy
 * that passed it on.
 */
export function addressFinder(trustedBlocks: readonly string[]): FindAddress {
  const trusted = trustedBlocks.map(parseBlock)
  const remembered = new Map<string, ClientAddress>()
  const find = (remote: string, forwardedFor: string | undefined): ClientAddress => {
    const direct = parseAddress(remote)
    if (direct === null) return unknownAddress
    if (forwardedFor === undefined || !isIn(direct, trusted)) return clientAddress(direct)
    let nearest = direct
    for (const hop of forwardedFor.split(',').slice(-hopsLimit).reverse()) {
      const address = parseHop(hop.trim())
      if (address === null) return clientAddress(nearest)
      nearest = address
      if (!isIn(address, trusted)) return clientAddress(nearest)
    }
    return clientAddress(nearest)
  }
  return (remote, forwardedFor) => {
    if (remote === undefined) return unknownAddress
    const counts = trusted.length === 0 ? undefined : forwardedFor
    const name = counts === undefined ? remote : `${remote} ${counts}`
    const known = remembered.get(name)
    if (known !== undefined) return known
    const found = find(remote, counts)
    if (name.length > rememberedLength) return found
    if (remembered.size >= rememberedAddresses) remembered.clear()
    remembered.set(name, found)
    return found
  }
}

/** Whether an address lies in one of these CIDR blocks; a block that is none holds nothing. */
export function isWithin({ text }: ClientAddress, blocks: readonly string[]): boolean {
  const address = parseAddress(text)
  if (address === null) return false
  return blocks.some((block) => ipaddr.isValidCIDR(block) && isIn(address, [parseBlock(block)]))
}

function parseBlock(block: string): Block {
  const [address, bits] = ipaddr.parseCIDR(block)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) return [address.toIPv4Address(), bits - 96]
  return [address, bits]
}

function isIn(address: Address, blocks: readonly Block[]): boolean {
  return blocks.some(([block, bits]) => block.kind() === address.kind() && address.match(block, bits))
}

/** Four decimal parts, or IPv6; nothing that only some programs read as an address, such as octal parts. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  const [withoutZone = ''] = text.split('%', 1)
  if (!withoutZone.includes(':') || !ipaddr.IPv6.isValid(withoutZone)) return null
  const address = ipaddr.IPv6.parse(withoutZone)
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

/** Some proxies write a port behind the address, IPv6 then in brackets. */
function parseHop(hop: string): Address | null {
  const parts = /^\[([^\]]{2,64})\](?::\d{1,5})?$/.exec(hop) ?? /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(hop)
  return parseAddress(parts?.[1] ?? hop)
}

function clientAddress(address: Address): ClientAddress {
  const text = address.toString()
  if (address instanceof ipaddr.IPv4) return { text, partition: `ip ${text}` }
  const network = address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')
  return { text, partition: `ip ${network}::/64` }
}
