import type { Address } from '../../config/index.ts'
import { type Revision, zeroRevision } from '../../kernel/unit-of-work.ts'
import { pool } from './pool.ts'

/** What has been shown or acknowledged so far: no later look may fall behind it. */
export interface Sightings {
  /** The newest revision that this instance has shown, or acknowledged, for the setting. */
  floor(instance: string, at: Address): Revision
  saw(instance: string, at: Address, revision: Revision): void
  /** It has shown, or acknowledged, this version of an entry. */
  wrote(instance: string, at: Address, revision: Revision): void
  /** The newest revision acknowledged by any instance. */
  acknowledged(): Revision
}

export function sightings(): Sightings {
  const seen = new Map<string, Revision>()
  let newest = zeroRevision
  const nameOf = (instance: string, { component, key, scope }: Address): string => `${instance} ${component}/${key}${scope}`
  const raise = (name: string, revision: Revision): void => {
    if (revision > (seen.get(name) ?? zeroRevision)) seen.set(name, revision)
  }
  return {
    floor: (instance, at) => seen.get(nameOf(instance, at)) ?? zeroRevision,
    saw: (instance, at, revision) => raise(nameOf(instance, at), revision),
    wrote(instance, at, revision) {
      if (revision > newest) newest = revision
      for (const each of pool.below(at)) raise(nameOf(instance, each), revision)
    },
    acknowledged: () => newest,
  }
}
