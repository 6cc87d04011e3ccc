import type { StoreUnavailable } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import type { OpenCore } from '../host.ts'

/** How many sealed secrets need each key; `''` stands for those that name none. */
export type Census = Readonly<{
  byKey: ReadonlyMap<string, number>
  /** Those that the current key has not sealed. */
  outstanding: number
  /** Those of them that no key on the ring opens; sealing again does not help them. */
  lost: number
  /** All of them. */
  secrets: number
}>

export function takeCensus({ core, keyRing }: OpenCore): ResultAsync<Census, StoreUnavailable> {
  const byKey = new Map<string, number>(keyRing.keyIds.map((id) => [id, 0]))
  let outstanding = 0
  let lost = 0
  const visited = core.sealing.survey(({ sealed, context }) => {
    const id = keyRing.keyIdOf(sealed) ?? ''
    byKey.set(id, (byKey.get(id) ?? 0) + 1)
    if (keyRing.isCurrent(sealed)) return
    outstanding += 1
    if (keyRing.unseal(sealed, context).isErr()) lost += 1
  })
  return visited.map(({ secrets }) => ({ byKey, outstanding, lost, secrets }))
}
