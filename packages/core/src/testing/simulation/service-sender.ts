import { timestamp } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'
import type { RemoteChange } from '../../payments/testing/fake-payment-service.ts'
import type { SignedMessage, WebhookSecret } from '../../webhooks/index.ts'
import { sign } from '../../webhooks/signature.ts'
import { cheapMac } from './cheap-secrets.ts'
import type { ClientWorld } from './clients.ts'
import type { ServiceMessage } from './history.ts'
import { patiently } from './patience.ts'
import type { RemotePlan } from './plan.ts'

/** What the Payment Service of a world signs its webhooks with. */
export const serviceSecret: WebhookSecret = `whsec_${'S'.repeat(43)}=` as WebhookSecret
const otherSecret = `whsec_${'X'.repeat(43)}=` as WebhookSecret

/** Tells the service of every change at the Payment Service, over a bad network. */
export type ServiceSender = Readonly<{
  tell: (change: RemoteChange) => void
  /** Nothing is on its way that will be tried again. */
  isIdle: () => boolean
  /** The last real messages, for whoever listens on the line. */
  overheard: readonly SignedMessage[]
}>

type State = { underWay: number; messages: number; readonly overheard: SignedMessage[] }
type Sender = Readonly<{ world: ClientWorld; plan: RemotePlan; random: Random; state: State }>
type Told = Pick<RemoteChange, 'paymentId' | 'status' | 'occurredAt' | 'reference' | 'reason'>

export function serviceSender(world: ClientWorld, plan: RemotePlan, random: Random): ServiceSender {
  const state: State = { underWay: 0, messages: 0, overheard: [] }
  const sender: Sender = { world, plan, random, state }
  return {
    overheard: state.overheard,
    isIdle: () => state.underWay === 0,
    tell(change) {
      const isMistaken = change.status === 'COMPLETED' && strikes(sender, plan.mistakeRate)
      if (isMistaken) send(sender, { ...change, status: 'FAILED', reason: 'by mistake' })
      // What is settled is looked at again after an hour, and no world lasts so long: a reversal, or the truth after a mistake, is told.
      const mayBeLost = !isMistaken && change.status !== 'REVERSED'
      if (!(mayBeLost && strikes(sender, plan.lossRate))) send(sender, change)
      if (strikes(sender, plan.duplicateRate / 4)) send(sender, change)
    },
  }
}

function strikes({ world, random }: Sender, rate: number): boolean {
  return random.fraction() < rate && world.isFaulty()
}

/** One message, in as many copies as the network makes of it. */
function send(sender: Sender, change: Told): void {
  const { world, plan, random, state } = sender
  state.messages += 1
  const message: ServiceMessage = { id: `msg_${state.messages}`, paymentId: change.paymentId, isAcknowledged: false }
  world.history.messages.push(message)
  const body = bodyOf(change)
  const copies = strikes(sender, plan.duplicateRate) ? 2 : 1
  for (let copy = 0; copy < copies; copy += 1) void deliver(sender, message, body, Math.ceil(random.fraction() * plan.delayMs))
}

function bodyOf({ paymentId, status, occurredAt, reference, reason }: Told): string {
  return JSON.stringify({ paymentId, status, occurredAt: timestamp(occurredAt), reference, reason })
}

/** Again and again until it is acknowledged. */
async function deliver({ world, random, state }: Sender, message: ServiceMessage, body: string, delayMs: number): Promise<void> {
  state.underWay += 1
  await world.clock.sleep(delayMs)
  while (!(await post(world, random, state, message, body)) && !world.isOver()) {
    await world.clock.sleep(1 + Math.floor(random.fraction() * 3000))
  }
  state.underWay -= 1
}

async function post(world: ClientWorld, random: Random, state: State, message: ServiceMessage, body: string): Promise<boolean> {
  const instance = world.anyInstance(random)
  if (instance === null) return false
  const signed = signedNow(world, serviceSecret, message.id, body, 0)
  if (world.isFaulty()) {
    state.overheard.push(signed)
    if (state.overheard.length > 10) state.overheard.shift()
  }
  const answer = await patiently(world.clock, instance.core.webhooks.receivePaymentStatus(signed, callerOf(`webhook ${message.id}`)))
  world.trace(() => `${message.id} to ${instance.name}: ${body} ${answer === null ? 'no answer' : JSON.stringify(answer)}`)
  if (answer === null) return false
  if (answer.isOk()) message.isAcknowledged = true
  else if (answer.error.kind !== 'store-unavailable')
    world.history.violations.push({ law: 'L16', detail: `${message.id} was refused: ${answer.error.kind}` })
  return answer.isOk() || answer.error.kind !== 'store-unavailable'
}

function callerOf(requestId: string): Readonly<{ client: string; requestId: string; traceparent: null }> {
  return { client: 'payment-service', requestId, traceparent: null }
}

function signedNow({ clock }: ClientWorld, secret: WebhookSecret, id: string, body: string, ageSeconds: number): SignedMessage {
  const seconds = Math.floor(clock.now() / 1000) - ageSeconds
  return { id, timestamp: String(seconds), signature: sign(cheapMac, secret, id, seconds, body), body }
}

/** Somebody on the line, without the secret: everything he makes of what he hears must be refused. */
export async function runForger(world: ClientWorld, overheard: readonly SignedMessage[], random: Random): Promise<void> {
  for (let count = 1; world.isFaulty(); count += 1) {
    await world.clock.sleep(1 + Math.floor(random.fraction() * 1500))
    const instance = world.anyInstance(random)
    const heard = overheard[Math.floor(random.fraction() * overheard.length)]
    if (instance === null || heard === undefined) continue
    // Word for word it is no forgery, and comes under the name of the message that it is.
    const isEcho = random.fraction() < 0.25
    const message = isEcho ? heard : forged(world, heard, random, count)
    const caller = callerOf(isEcho ? `webhook ${heard.id}` : `forged ${count}`)
    const answer = await patiently(world.clock, instance.core.webhooks.receivePaymentStatus(message, caller))
    if (isEcho) continue
    world.history.forgeries.count += 1
    if (answer === null || (answer.isErr() && answer.error.kind === 'signature-invalid')) continue
    world.history.violations.push({ law: 'L16', detail: `forgery ${count} was not refused: ${JSON.stringify(message)}` })
  }
}

function forged(world: ClientWorld, heard: SignedMessage, random: Random, count: number): SignedMessage {
  const id = `forged_${count}`
  const opposite = heard.body.includes('COMPLETED') ? heard.body.replace('COMPLETED', 'FAILED') : heard.body.replace('FAILED', 'COMPLETED')
  switch (Math.floor(random.fraction() * 8)) {
    case 0:
      return signedNow(world, otherSecret, id, opposite, 0)
    case 1:
      // Signed well, long ago: nobody can make one, but somebody may have kept one.
      return signedNow(world, serviceSecret, id, opposite, 400)
    case 2:
      return signedNow(world, serviceSecret, id, opposite, -400)
    case 3:
      return { ...heard, body: opposite === heard.body ? `${heard.body} ` : opposite }
    case 4:
      return { ...heard, body: heard.body.slice(0, -1) }
    case 5:
      return { ...heard, id }
    case 6:
      return { ...heard, timestamp: String(Number(heard.timestamp) + 1) }
    default:
      return { ...heard, signature: null }
  }
}
