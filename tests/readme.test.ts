import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** Each TypeScript block that names itself an example, with the output printed below it. */
const examples = [...readme.matchAll(/```ts\n\/\/ example: ([^\n]+)\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(
  ([, name, code, output]) => ({
    name: name ?? '',
    code: code ?? '',
    output: output ?? '',
  }),
)

// Inside the workspace, so that the packages resolve as they do for whoever installs them.
const folder = mkdtempSync(join(import.meta.dirname, '.readme-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('README', () => {
  it('has an example over real adapters and one over fakes', () => {
    expect(examples.map(({ name }) => name)).toEqual(['core over SQLite', 'core over fakes, in virtual time'])
  })

  it.each(examples)('prints what it says it prints: $name', async ({ name, code, output }) => {
    const file = join(folder, `${name.replaceAll(/\W+/g, '-')}.mts`)
    writeFileSync(file, code)
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@cbp/source', file], { cwd: folder, timeout: 60_000 })
    expect(stdout).toBe(output)
  })
})
