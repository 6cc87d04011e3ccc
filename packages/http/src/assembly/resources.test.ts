import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openResources } from './resources.ts'
import { readSettings } from './settings.ts'

it('names the key ring that does not open once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cbp-resources-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'keyring.json')
  await writeFile(path, '{}')
  const settings = readSettings({ CBP_DATA_DIR: directory }, directory)._unsafeUnwrap()
  await using opening = new AsyncDisposableStack()
  const opened = await openResources(settings, { write: () => {} }, opening)
  const { resource, reason } = opened._unsafeUnwrapErr()
  expect([resource, reason.split(path)]).toEqual(['key ring', ['The key ring ', expect.any(String)]])
})
