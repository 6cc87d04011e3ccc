import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createCore, type Ports } from '@cbp/core'
import { ContainerModule } from 'inversify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAssembly } from './assembly.ts'
import { bindMade } from './services.ts'
import { readSettings, type Settings } from './settings.ts'

const log = { write: (): void => {} }
let directory = ''
let settings: Settings

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cbp-assembly-'))
  settings = readSettings({ CBP_DATA_DIR: directory }, directory)._unsafeUnwrap()
})
afterEach(() => rm(directory, { recursive: true }))

describe('assembly', () => {
  it('makes each service once, over the same resources', async () => {
    await using assembly = (await openAssembly(settings, { log }))._unsafeUnwrap()
    expect(assembly.get('core')).toBe(assembly.get('core'))
    expect(assembly.get('ports').configStore).toBe(assembly.get('store').configStore)
  })

  it('lets a host wrap the ports before core is built over them', async () => {
    let calls = 0
    const decorate = (ports: Ports): Ports => ({
      ...ports,
      configStore: {
        ...ports.configStore,
        head: () => {
          calls += 1
          return ports.configStore.head()
        },
      },
    })
    await using assembly = (await openAssembly(settings, { log, decorate }))._unsafeUnwrap()
    await assembly.get('core').config.components({ after: null, limit: 1 })
    expect(calls).toBe(1)
  })

  it('closes the store when it is disposed of, and opens again where it was', async () => {
    const first = (await openAssembly(settings, { log }))._unsafeUnwrap()
    const { epoch } = (await first.get('store').configStore.head())._unsafeUnwrap()
    await first[Symbol.asyncDispose]()
    expect((await first.get('store').transactions.settle('x' as never)).isErr()).toBe(true)
    await using second = (await openAssembly(settings, { log }))._unsafeUnwrap()
    expect((await second.get('store').configStore.head())._unsafeUnwrap().epoch).toBe(epoch)
  })

  it('answers why the store does not open', async () => {
    await writeFile(join(directory, 'cbp.sqlite'), 'this is no database, and long enough to be taken for one if nobody looked '.repeat(20))
    const opened = await openAssembly(settings, { log })
    expect(opened._unsafeUnwrapErr()).toMatchObject({ kind: 'resource-unavailable', resource: 'store' })
  })

  it('loads no driver of an engine that is not in use', { timeout: 60_000 }, async () => {
    const script = `
      import { registerHooks } from 'node:module'
      const seen = []
      registerHooks({ resolve: (specifier, context, next) => { seen.push(specifier); return next(specifier, context) } })
      const { openAssembly, readSettings } = await import('@cbp/http/assembly')
      const settings = readSettings({ CBP_DATA_DIR: ${JSON.stringify(directory)} }, '/')._unsafeUnwrap()
      const assembly = (await openAssembly(settings, { log: { write() {} } }))._unsafeUnwrap()
      await assembly[Symbol.asyncDispose]()
      console.log(JSON.stringify(seen))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@cbp/source', '--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      timeout: 30_000,
    })
    const seen = JSON.parse(stdout) as readonly string[]
    expect(seen).toContain('@cbp/adapters-sql')
    expect(seen.filter((specifier) => ['mssql', 'ioredis', 'amqplib'].includes(specifier))).toEqual([])
  })

  it('does not compile with a dependency of another type', () => {
    const module = new ContainerModule((options) => {
      // @ts-expect-error -- core is made of ports, not of a clock
      bindMade(options, 'core', ['clock'], createCore)
      // @ts-expect-error -- and a clock is no core
      bindMade(options, 'core', ['clock'], (clock) => clock)
    })
    expect(module).toBeDefined()
  })
})
