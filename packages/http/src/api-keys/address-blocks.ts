import ipaddr from 'ipaddr.js'

/** A CIDR block, or one address, as the block of whole networks that it names, e.g. `192.0.2.0/24`; `null`: it is neither. */
export function readAddressBlock(text: string): string | null {
  const [, address = '', digits] = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? []
  // Four decimal parts: octal and shortened forms mean different addresses to different programs.
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return blockOf(ipaddr.IPv4, address, digits, 32)
  return address.includes(':') && ipaddr.IPv6.isValid(address) ? blockOf(ipaddr.IPv6, address, digits, 128) : null
}

type Family = Readonly<{ networkAddressFromCIDR: (block: string) => Readonly<{ toString: () => string }> }>

function blockOf(family: Family, address: string, digits: string | undefined, width: number): string | null {
  const bits = digits === undefined ? width : Number(digits)
  return bits > width ? null : `${family.networkAddressFromCIDR(`${address}/${bits}`).toString()}/${bits}`
}
