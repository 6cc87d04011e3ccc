import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiKeyLaws, fakeClock, fakeRandom } from '@cbp/core/testing'
import { openSqliteStore } from '../sqlite/sqlite-store.ts'

apiKeyLaws(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cbp-api-keys-'))
  const store = (await openSqliteStore({ path: join(directory, 'store.db'), clock: fakeClock(), random: fakeRandom(1) }))._unsafeUnwrap()
  return {
    ...store,
    async close() {
      await store.close()
      await rm(directory, { recursive: true })
    },
  }
}, 15)
