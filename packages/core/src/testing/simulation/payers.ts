import type { Caller } from '../../kernel/caller.ts'
import type { Random } from '../../kernel/random.ts'
import type { Payment, PaymentDetails, PaymentId } from '../../payments/index.ts'
import type { ClientWorld } from './clients.ts'
import type { KeyedRequest, PaymentSighting } from './history.ts'
import type { Instance } from './instance.ts'
import { patiently } from './patience.ts'

/** What the payers of one client share. */
export type Wallet = Readonly<{ client: string; own: PaymentId[]; floors: Map<PaymentId, number>; amounts: { last: number } }>

type Payer = Readonly<{ world: ClientWorld; name: string; wallet: Wallet; random: Random; counts: { calls: number } }>

const triesPerRequest = 6
const takeOverMs = 30_000
const currency = 'EUR' as PaymentDetails['currency']

export function wallet(client: string): Wallet {
  return { client, own: [], floors: new Map(), amounts: { last: 0 } }
}

/** Creates, changes, processes and reads payments, as careful with keys as a payer should be. */
export async function runPayer(world: ClientWorld, name: string, own: Wallet, random: Random): Promise<void> {
  const payer: Payer = { world, name, wallet: own, random, counts: { calls: 0 } }
  for (let count = 1; world.isFaulty(); count += 1) {
    await world.clock.sleep(1 + Math.floor(random.fraction() * world.pauseMs))
    const id = own.own[Math.floor(random.fraction() * own.own.length)]
    const drawn = random.fraction()
    if (id === undefined || drawn < 0.35) await create(payer, `${name} create ${count}`)
    else if (drawn < 0.65) await process(payer, `${name} process ${count}`, id)
    else if (drawn < 0.75) await amend(payer, id)
    else if (drawn < 0.8) await cancel(payer, id)
    else await read(payer, id, drawn > 0.95)
  }
}

function callerOf({ wallet: { client }, name, counts }: Payer): Caller {
  counts.calls += 1
  return { client, requestId: `${name} call ${counts.calls}`, traceparent: null }
}

/** No two calls answer alike, so that an answer tells which call made it. */
function answerOf({ requestId }: Caller): (payment: Payment) => string {
  return ({ id, version, status, amount }) => JSON.stringify({ id, version, status, amount, requestId })
}

async function create(payer: Payer, key: string): Promise<void> {
  const { world, wallet: own, random } = payer
  const drawn = random.fraction()
  const reference = drawn < 0.5 ? null : drawn < 0.85 ? `reference of ${key}` : `reference ${Math.floor(random.fraction() * 5)}`
  const details = detailsFor(payer, key, reference)
  const request = openRequest(payer, 'create', key, drawn < 0.85)
  const call = async (instance: Instance, each: PaymentDetails): Promise<Answer> => {
    const caller = callerOf(payer)
    return await instance.core.payments.create({ details: each, caller, idempotency: { key, answerOf: answerOf(caller) } })
  }
  await insistently(payer, request, (instance) => call(instance, details))
  if (random.fraction() < 0.15) {
    request.hasOtherBody = true
    await once(payer, request, (instance) => call(instance, { ...details, amount: details.amount + 1 }), false)
  }
  const [answer] = request.answers
  if (answer !== undefined) own.own.push((JSON.parse(answer) as PaymentSighting).id)
  world.trace(() => `${key}: ${request.answers.join(' ')} ${request.refusals.join(' ')}`)
}

function detailsFor({ wallet: own, name }: Payer, key: string, reference: string | null): PaymentDetails {
  return { amount: nextAmount(own), currency, payee: { id: 'utility', name: 'Utility' }, userId: name, reference, metadata: { key } }
}

async function process(payer: Payer, key: string, id: PaymentId): Promise<void> {
  const { world, wallet: own, random } = payer
  const viewer = { client: own.client, seesAll: false }
  const request = openRequest(payer, 'process', key, false)
  const call = async (instance: Instance, each: PaymentId): Promise<Answer> => {
    const caller = callerOf(payer)
    return await instance.core.payments.process({ id: each, viewer, caller, idempotency: { key, answerOf: answerOf(caller) } })
  }
  await insistently(payer, request, (instance) => call(instance, id))
  const other = own.own[Math.floor(random.fraction() * own.own.length)]
  if (random.fraction() < 0.1 && other !== undefined && other !== id) {
    request.hasOtherBody = true
    await once(payer, request, (instance) => call(instance, other), false)
  }
  world.trace(() => `${key} of ${id}: ${request.answers.join(' ')} ${request.refusals.join(' ')}`)
}

/** None twice, so that no amendment changes nothing. */
function nextAmount({ amounts }: Wallet): number {
  amounts.last += 10
  return amounts.last
}

function openRequest(
  { world, wallet: { client } }: Payer,
  operation: KeyedRequest['operation'],
  key: string,
  isOwn: boolean,
): KeyedRequest {
  const request: KeyedRequest = { client, operation, key, ownReference: isOwn, hasOtherBody: false, answers: [], refusals: [] }
  world.history.requests.push(request)
  return request
}

type Answer = Awaited<ReturnType<Instance['core']['payments']['create'] | Instance['core']['payments']['process']>>
type Call = (instance: Instance) => Promise<Answer>

/** Until it is answered or the payer has had enough; sometimes from two sides at once, sometimes once more when all is said. */
async function insistently(payer: Payer, request: KeyedRequest, call: Call): Promise<void> {
  const sides = payer.random.fraction() < 0.25 ? 2 : 1
  await Promise.all(Array.from({ length: sides }, () => insist(payer, request, call)))
  if (payer.random.fraction() < 0.2) await once(payer, request, call, true)
}

async function insist(payer: Payer, request: KeyedRequest, call: Call): Promise<void> {
  for (let attempt = 1; attempt <= triesPerRequest; attempt += 1) {
    const waitMs = await once(payer, request, call, true)
    if (waitMs === null) return
    await payer.world.clock.sleep(waitMs)
  }
}

/** One call; answers how long to wait before the next, `null` for none. */
async function once(
  { world, random, wallet: own }: Payer,
  request: KeyedRequest,
  call: Call,
  isFirstBody: boolean,
): Promise<number | null> {
  const backoffMs = 1 + Math.floor(random.fraction() * 2000)
  const instance = world.anyInstance(random)
  if (instance === null) return backoffMs
  const answer = await patiently(world.clock, call(instance))
  if (answer === null) return backoffMs
  if (answer.isOk()) {
    request.answers.push(answer.value.answer)
    sight(world, own, JSON.parse(answer.value.answer) as PaymentSighting, null)
    return null
  }
  const { error } = answer
  if (error.kind === 'store-unavailable') return backoffMs
  // Who waits for long takes the request over from an instance that has died.
  if (error.kind === 'request-in-flight') return random.fraction() < 0.7 ? takeOverMs : error.retryAfterMs
  if (error.kind === 'payment-state-conflict') sight(world, own, error.payment, null)
  if (error.kind === 'payment-not-found') lost(world, error.id)
  if (isFirstBody) request.refusals.push(error.kind)
  return null
}

async function amend(payer: Payer, id: PaymentId): Promise<void> {
  const { world, wallet: own, random } = payer
  const instance = world.anyInstance(random)
  if (instance === null) return
  const amount = nextAmount(own)
  const viewer = { client: own.client, seesAll: false }
  const match = [own.floors.get(id) ?? 1]
  const caller = callerOf(payer)
  const answer = await patiently(world.clock, instance.core.payments.amend({ id, viewer, caller, match, amendment: { amount } }))
  if (answer === null) return
  if (answer.isOk()) {
    sight(world, own, answer.value, null)
    world.history.paymentWrites.push({ id, version: answer.value.version, kind: 'amended', amount })
  } else if ('payment' in answer.error) sight(world, own, answer.error.payment, null)
  else if (answer.error.kind === 'payment-not-found') lost(world, id)
}

async function cancel(payer: Payer, id: PaymentId): Promise<void> {
  const { world, wallet: own, random } = payer
  const instance = world.anyInstance(random)
  if (instance === null) return
  const viewer = { client: own.client, seesAll: false }
  const answer = await patiently(
    world.clock,
    instance.core.payments.cancel({ id, viewer, caller: callerOf(payer), match: 'any', reason: null }),
  )
  if (answer === null) return
  if (answer.isOk()) {
    sight(world, own, answer.value, null)
    world.history.paymentWrites.push({ id, version: answer.value.version, kind: 'cancelled', amount: answer.value.amount })
  } else if ('payment' in answer.error) sight(world, own, answer.error.payment, null)
  else if (answer.error.kind === 'payment-not-found') lost(world, id)
}

async function read({ world, wallet: own, random }: Payer, id: PaymentId, verifies: boolean): Promise<void> {
  const instance = world.anyInstance(random)
  if (instance === null) return
  const floor = own.floors.get(id) ?? 0
  const viewer = { client: own.client, seesAll: false }
  const { payments } = instance.core
  const shown = await patiently(
    world.clock,
    verifies ? payments.verify(viewer, id).map(({ payment }) => payment) : payments.get(viewer, id),
  )
  if (shown === null) return
  if (shown.isOk()) sight(world, own, shown.value, floor)
  else if (shown.error.kind === 'payment-not-found') lost(world, id)
}

/** Notes a state that was shown; read, it must not be older than `floor`: what was shown before the read began. */
function sight({ history }: ClientWorld, { floors }: Wallet, { id, version, status, amount }: PaymentSighting, floor: number | null): void {
  history.sightings.push({ id, version, status, amount })
  if (floor !== null && version < floor)
    history.violations.push({ law: 'L8', detail: `${id} was shown at version ${version} after ${floor}` })
  floors.set(id, Math.max(version, floors.get(id) ?? 0))
}

function lost({ history }: ClientWorld, id: string): void {
  history.violations.push({ law: 'L10', detail: `${id} was acknowledged, and is not found` })
}
