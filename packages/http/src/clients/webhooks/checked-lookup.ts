import type { LookupAddress, LookupOptions } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { err, ok, type Result } from 'neverthrow'
import { isTargetAddress } from './addresses.ts'
import type { NameResolver } from './name-resolver.ts'

export const forbiddenAddressCode = 'CBP_FORBIDDEN_ADDRESS'
export const unresolvedNameCode = 'CBP_UNRESOLVED_NAME'

/** Nobody needs more to be reached, and whoever lists hundreds would have us knock at hundreds of doors. */
const maxAddressesTried = 8

/**
 * The lookup of sockets about to connect. A name is resolved once for each connection; if any of its addresses is forbidden
 * none is used, and the socket is given exactly the addresses that were checked, so that a second answer of the resolver
 * (DNS rebinding) has nothing to act on. Sockets do not look up literal addresses: `inspectTarget` judges those.
 */
export function checkedLookup(resolver: NameResolver, loopbackAllowed: boolean): LookupFunction {
  const answer = async (name: string, { all }: LookupOptions, callback: Parameters<LookupFunction>[2]): Promise<void> => {
    const addresses = await checkedAddresses(resolver, name, loopbackAllowed)
    if (addresses.isErr()) return callback(addresses.error, [])
    const [first] = addresses.value
    if (all === true) callback(null, addresses.value)
    else callback(null, first.address, first.family)
  }
  return (name, options, callback) => void answer(name, options, callback)
}

async function checkedAddresses(
  resolver: NameResolver,
  name: string,
  loopbackAllowed: boolean,
): Promise<Result<[LookupAddress, ...LookupAddress[]], Error>> {
  let addresses: readonly string[]
  try {
    addresses = await resolver.resolve(name)
  } catch (error) {
    return err(coded(unresolvedNameCode, error))
  }
  if (!addresses.every((address) => isTargetAddress(address, loopbackAllowed))) return err(coded(forbiddenAddressCode))
  const [first, ...others] = addresses.slice(0, maxAddressesTried).map((address) => ({ address, family: isIP(address) }))
  if (first === undefined) return err(coded(unresolvedNameCode))
  return ok([first, ...others])
}

function coded(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code })
}
