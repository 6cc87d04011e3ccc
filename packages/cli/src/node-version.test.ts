import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { versionComplaint } from './node-version.ts'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { engines: { node: string } }
const [, wanted = ''] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node) ?? []

it.each(['18.20.8', '20.20.2', '21.99.0', '22.12.0'])('complains of Node %s in one sentence', (version) => {
  expect(versionComplaint(version)).toBe(`error: cbp needs Node ${wanted} or newer; this is ${version}.\n`)
})

it.each([`${wanted}.0`, '22.18.0', '23.0.0', '24.21.0', '100.0.0-nightly'])('is content with Node %s', (version) => {
  expect(versionComplaint(version)).toBeNull()
})

it('is checked before anything else that an older Node might not load is imported', () => {
  const main = readFileSync(new URL('main.ts', import.meta.url), 'utf8')
  expect(main.match(/^import .*$/gm)).toEqual(["import { versionComplaint } from './node-version.ts'"])
  expect(readFileSync(new URL('node-version.ts', import.meta.url), 'utf8')).not.toContain('import')
})
