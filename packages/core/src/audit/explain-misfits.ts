import type { Mac } from '../kernel/mac.ts'
import type { AuditRecord } from './audit-record.ts'
import { macOf } from './chain.ts'

/** A number in the chain, and the MACs that a record there may be chained to. */
export type Place = Readonly<{ number: number; previous: readonly string[] }>

/** A record that does not fit where it stands. */
export type Misfit = Place & Readonly<{ record: AuditRecord; keyBase64: string }>

/** Each is tried at each place after each: beyond this the answer would cost more than it tells. */
const misfitsTried = 16

/**
 * Tells of those that would fit in another's place: they were swapped or moved, not changed. One that fits where it stands,
 * after a record that is now elsewhere, is in order itself.
 */
export function explainMisfits(
  mac: Mac,
  misfits: readonly Misfit[],
  gaps: readonly Place[],
): ReadonlyMap<number, 'out-of-place' | 'in-order'> {
  const tried = misfits.slice(0, misfitsTried)
  const places = [...tried, ...gaps.slice(0, misfitsTried)]
  const macs = tried.map(({ record }) => record.mac)
  const explained = new Map<number, 'out-of-place' | 'in-order'>()
  for (const misfit of tried) {
    const { number } = misfit
    if (fits(mac, misfit, { number, previous: macs })) explained.set(number, 'in-order')
    else if (places.some((place) => fits(mac, misfit, { ...place, previous: [...place.previous, ...macs] }))) {
      explained.set(number, 'out-of-place')
    }
  }
  return explained
}

function fits(mac: Mac, { record, keyBase64 }: Misfit, { number, previous }: Place): boolean {
  return previous.some((each) => macOf(mac, keyBase64, each, { ...record, number }) === record.mac)
}
