import type { ResultAsync } from 'neverthrow'
import type { Revision } from '../kernel/unit-of-work.ts'
import type { EntryVersion } from './entry.ts'
import type { ConfigStore } from './ports/config-store.ts'

/**
 * The store as answers are made of it: `onShown` hears of every revision before it is shown, because afterwards nothing
 * older may be served by this instance, whichever way it is asked (L7).
 */
export function witnessedStore(store: ConfigStore, onShown: (revision: Revision) => void): ConfigStore {
  const shown = <Answer, E>(read: ResultAsync<Answer, E>, revisionOf: (answer: Answer) => Revision | undefined): ResultAsync<Answer, E> =>
    read.map((answer) => {
      const revision = revisionOf(answer)
      if (revision !== undefined) onShown(revision)
      return answer
    })
  return {
    head: () => shown(store.head(), ({ revision }) => revision),
    revisionAt: (instant) => shown(store.revisionAt(instant), (revision) => revision),
    chain: (...args) => shown(store.chain(...args), ({ versions }) => newestOf(versions)),
    snapshot: (...args) => shown(store.snapshot(...args), ({ revision }) => revision),
    version: (...args) => shown(store.version(...args), (version) => version?.revision),
    history: (...args) => shown(store.history(...args), newestOf),
    components: (...args) => shown(store.components(...args), newestOf),
    changes: (...args) => shown(store.changes(...args), ({ through }) => through),
  }
}

function newestOf(shown: readonly Pick<EntryVersion, 'revision'>[]): Revision | undefined {
  return shown.reduce<Revision | undefined>(
    (newest, { revision }) => (newest === undefined || revision > newest ? revision : newest),
    undefined,
  )
}
