/** Writes units from many callers at once and prints `<unit> <revision>` for each that was answered. */
import { randomUUID } from 'node:crypto'
import type { Stream, Uuid } from '@cbp/core'
import { appendNext, clock, open } from '../plain-store.ts'

const [path, callers, unitsPerCaller] = process.argv.slice(2) as [string, string, string]
const store = await open({ path })

async function write(unit: Uuid): Promise<void> {
  const attempt = await store.transactions.attempt(unit, (tx) =>
    appendNext(tx).map((version) => {
      const payload = { component: 'payments', details: {}, severity: 'INFO', timestamp: '2026-01-01T00:00:00.000Z' } as const
      const event = { type: 'CONFIG_UPDATED', payload } as const
      tx.outbox.append({ id: randomUUID() as Uuid, stream: 'config-payments' as Stream, event, occurredAt: clock.now(), traceparent: null })
      return version
    }),
  )
  if (attempt.isErr()) throw new Error(JSON.stringify(attempt.error))
  process.stdout.write(`${unit} ${attempt.value.commit.revision}\n`)
}

async function callAgainAndAgain(): Promise<void> {
  for (let count = 0; count < Number(unitsPerCaller); count += 1) await write(randomUUID() as Uuid)
}

await Promise.all(Array.from({ length: Number(callers) }, callAgainAndAgain))
await store.close()
