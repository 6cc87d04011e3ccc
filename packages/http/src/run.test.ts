import { describe, expect, it } from 'vitest'
import { openApp } from '../tests/support.ts'
import { runUntilStopped } from './run.ts'

describe('the running service', () => {
  it('ends in order, with a line in the log, when its background work fails', async () => {
    const { deps, logged } = await openApp()
    const ended: string[] = []
    const listening = { close: async () => void ended.push('listening') }
    const core = { run: async () => Promise.reject(new Error('a defect')) }
    const result = await runUntilStopped({ core, app: deps, listening, stop: new Promise(() => {}) })
    expect(result._unsafeUnwrapErr()).toEqual({ kind: 'background-failure' })
    expect(ended).toEqual(['listening'])
    expect(logged).toMatchObject([{ level: 'error', message: 'the background work failed by a defect' }, { level: 'info' }])
  })

  it('fails also when that happens while it ends', async () => {
    const { deps } = await openApp()
    const core = {
      run: (cancel: { whenAborted?: unknown } & Partial<AbortSignal>) =>
        new Promise<void>((_resolve, reject) => cancel.addEventListener?.('abort', () => reject(new Error('late')))),
    }
    const result = await runUntilStopped({ core: core as never, app: deps, listening: { close: async () => {} }, stop: Promise.resolve() })
    expect(result.isErr()).toBe(true)
  })

  it('hangs up on what others keep it waiting for', async () => {
    const { deps } = await openApp()
    const { promise: kept, resolve: hangUp } = Promise.withResolvers<void>()
    const listening = { close: async () => {} }
    const result = await runUntilStopped({ core: { run: () => kept }, app: deps, listening, stop: Promise.resolve(), hangUp })
    expect(result.isOk()).toBe(true)
  })

  it('ends well when it is told to', async () => {
    const { deps, logged } = await openApp()
    const { core } = deps
    const result = await runUntilStopped({ core, app: deps, listening: { close: async () => {} }, stop: Promise.resolve() })
    expect([result.isOk(), logged.map(({ level }) => level)]).toEqual([true, ['info']])
  })
})
