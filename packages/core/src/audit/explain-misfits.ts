import type { Mac } from '../kernel/mac.ts'
import type { AuditRecord } from './audit-record.ts'
import { macOf } from './chain.ts'

/** A number in the chain, and the MACs that a record there may be chained to. */
export type Place = Readonly<{ number: number; previous: readonly string[] }>

/** A record that does not fit where it stands. */
export type Misfit = Place & Readonly<{ record: AuditRecord; keyBase64: string }>

/** Each is tried at each place after each: beyond this the answer would cost more than it tells. */
const misfitsTried = 16

/** The numbers of those that would fit in another's place: they were swapped or moved, not changed. */
export function explainMisfits(mac: Mac, misfits: readonly Misfit[], gaps: readonly Place[]): readonly number[] {
  const tried = misfits.slice(0, misfitsTried)
  const places = [...tried, ...gaps.slice(0, misfitsTried)]
  const macs = tried.map(({ record }) => record.mac)
  return tried.filter((misfit) => places.some((place) => fits(mac, misfit, place, macs))).map(({ number }) => number)
}

function fits(mac: Mac, { number, record, keyBase64 }: Misfit, place: Place, macs: readonly string[]): boolean {
  if (place.number === number) return false
  const { mac: own, ...unsigned } = record
  return [...place.previous, ...macs].some((previous) => macOf(mac, keyBase64, previous, { ...unsigned, number: place.number }) === own)
}
