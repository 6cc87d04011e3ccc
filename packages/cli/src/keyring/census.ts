import type { StoreUnavailable } from '@cbp/core'
import type { ResultAsync } from 'neverthrow'
import type { OpenCore } from '../host.ts'

/** How many sealed secrets need each key; `''` stands for those that name none. */
export type Census = Readonly<{
  byKey: ReadonlyMap<string, number>
  /** Those that the current key has not sealed. */
  outstanding: number
}>

export function takeCensus({ core, keyRing }: OpenCore): ResultAsync<Census, StoreUnavailable> {
  const byKey = new Map<string, number>(keyRing.keyIds.map((id) => [id, 0]))
  let outstanding = 0
  const visited = core.sealing.survey(({ sealed }) => {
    const id = keyRing.keyIdOf(sealed) ?? ''
    byKey.set(id, (byKey.get(id) ?? 0) + 1)
    if (!keyRing.isCurrent(sealed)) outstanding += 1
  })
  return visited.map(() => ({ byKey, outstanding }))
}
