import { type Backlog, storeUnavailable } from '@cbp/core'
import { errAsync, okAsync } from 'neverthrow'
import { expect, it } from 'vitest'
import { openApp } from '../../tests/support.ts'

type Waiting = Readonly<{ backlog?: Partial<Backlog>; dead?: number; pending?: number; disabledSubscriptions?: number }>

async function askWith({ backlog = {}, dead = 0, pending = 0, disabledSubscriptions = 0 }: Waiting, path: string): Promise<Response> {
  const { core } = (await openApp()).deps
  const events = {
    ...core.events,
    backlog: () => okAsync({ events: 0, blockedStreams: 0, oldest: null, ...backlog }),
    deadCount: () => okAsync(dead),
  }
  const webhooks = { ...core.webhooks, backlog: () => okAsync({ pending, oldestDueAt: null, disabledSubscriptions }) }
  const { app } = await openApp({ core: { ...core, events, webhooks } })
  return app.request(path)
}

it.each<[string, Waiting, string]>([
  ['pass', {}, '0 events and 0 webhooks wait'],
  ['pass', { backlog: { events: 1 }, pending: 4 }, '1 event and 4 webhooks wait'],
  ['pass', { disabledSubscriptions: 1 }, '0 events and 0 webhooks wait; 1 subscription is disabled'],
  ['warn', { dead: 2 }, '2 dead letters wait for an operator; 0 events and 0 webhooks wait'],
  [
    'warn',
    { dead: 1, backlog: { blockedStreams: 1, events: 3 } },
    '1 stream is blocked; 1 dead letter waits for an operator; 3 events and 0 webhooks wait',
  ],
])('tells with %s what waits: %j', async (status, waiting, output) => {
  for (const path of ['/health', '/health/queue']) {
    const answer = await askWith(waiting, path)
    expect([answer.status, await answer.json()]).toMatchObject([200, { status, checks: { queue: { status, output } } }])
  }
})

it('fails when the store does not tell', async () => {
  const { core } = (await openApp()).deps
  const { app } = await openApp({ core: { ...core, webhooks: { ...core.webhooks, backlog: () => errAsync(storeUnavailable('locked')) } } })
  const answer = await app.request('/health/queue')
  expect([answer.status, await answer.json()]).toMatchObject([503, { checks: { queue: { status: 'fail', output: 'locked' } } }])
})
