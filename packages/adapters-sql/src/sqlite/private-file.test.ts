import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fakeClock } from '@cbp/core/testing'
import { expect, it } from 'vitest'
import { open } from '../../tests/plain-store.ts'
import { withPath } from '../../tests/temporary-store.ts'

it.skipIf(process.platform === 'win32')(
  'a database is made for its owner alone, with what lies beside it, in a folder that others can read too',
  withPath(async (given) => {
    const folder = join(dirname(given), 'open-to-all')
    await mkdir(folder, { mode: 0o755 })
    await chmod(folder, 0o755)
    const store = await open({ path: join(folder, 'store.db'), clock: fakeClock() })
    const files = await readdir(folder)
    const modes = await Promise.all(files.map(async (file) => ((await stat(join(folder, file))).mode & 0o777).toString(8)))
    await store.close()
    expect([files.sort(), new Set(modes)]).toEqual([['store.db', 'store.db-shm', 'store.db-wal'], new Set(['600'])])
  }),
)
