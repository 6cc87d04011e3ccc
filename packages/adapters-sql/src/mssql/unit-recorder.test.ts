import type { Uuid } from '@cbp/core'
import { describe, expect, it } from 'vitest'
import type { Rows } from '../sql/engine.ts'
import { absenceChecks } from './record-writes.ts'
import { rowSources } from './row-sources.ts'
import { newRecording, unitTransaction } from './unit-recorder.ts'
import type { UnitSession } from './unit-session.ts'

/** Answers one list of row sets after the other. */
function answering(...answers: readonly (readonly Rows[])[]): UnitSession {
  const left = [...answers]
  return {
    ask: async () => left.shift() ?? [],
    flush: () => Promise.reject(new Error('nothing is flushed here')),
    isFlushed: () => false,
    end: async () => {},
  }
}

const subscriptionId = '01890000-0000-7000-8000-000000000001' as Uuid
const lane = { subscription_id: subscriptionId, due_at: null, fence: 1, leased_until: null, failures: 0, failing_since: null }

describe('the rows that a unit knows', () => {
  it('are read once, however they were found', async () => {
    const recording = newRecording()
    const tx = unitTransaction(answering([[], [lane]]), recording)
    await tx.subscribers({ paymentId: null })
    expect((await tx.lanes.find({ subscriptionId }))._unsafeUnwrap()).toMatchObject({ fence: 1 })
    expect(absenceChecks(recording.rows.values(), rowSources())).toEqual([])
  })

  it('that it found absent are held to be absent at its end, though another read has met them since', async () => {
    const recording = newRecording()
    const tx = unitTransaction(answering([[]], [[], [lane]]), recording)
    expect((await tx.lanes.find({ subscriptionId }))._unsafeUnwrap()).toBeNull()
    await tx.subscribers({ paymentId: null })
    expect(absenceChecks(recording.rows.values(), rowSources())).toHaveLength(1)
  })
})
