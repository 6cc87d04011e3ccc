import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadDevelopmentKey } from './development-key.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cbp-key-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describe('the development key', () => {
  it('is made once, in a folder that is made for it', async () => {
    const path = join(await folder(), 'a', 'b')
    expect((await loadDevelopmentKey(path)).kid).toBe((await loadDevelopmentKey(path)).kid)
  })

  it.each(['', '{"kty":', 'null', '[]', '{"kty":"OKP"}', '{"kty":"oct","k":"AAAA","d":"x","kid":"k"}'])(
    'says which file to delete when it holds %j',
    async (content) => {
      const path = await folder()
      const file = join(path, 'development-signing-key.json')
      await writeFile(file, content)
      await expect(loadDevelopmentKey(path)).rejects.toThrow(`${file} holds no signing key; delete it`)
    },
  )

  it('tells what to set when its folder is a file, or cannot be made', async () => {
    const file = join(await folder(), 'file')
    await writeFile(file, '')
    for (const path of [file, join(file, 'x'), '/proc/x', '/proc/x/y']) {
      await expect(loadDevelopmentKey(path)).rejects.toThrow(`The data directory ${path} cannot be written; set CBP_DATA_DIR`)
    }
  })
})
