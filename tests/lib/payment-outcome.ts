import { join } from 'node:path'
import type { PaymentId } from '@cbp/core'
import { openSandboxPaymentService } from '@cbp/http/clients'
import { nodePlatform } from '@cbp/http/platform'
import { type Known, send } from './payers.ts'
import type { Heard } from './webhook-sink.ts'

/** What became of payments, as their clients, a subscriber and the Payment Service see it. All but the first three have to be 0. */
export type Outcome = Readonly<{
  payments: number
  messages: number
  repeated: number
  notCompleted: number
  lost: number
  doubled: number
  unexpected: number
  executedOtherThanOnce: number
}>

/** The statuses that each payment goes through, in order; UNKNOWN may come in between. */
const course = ['PENDING', 'PROCESSING', 'COMPLETED']

export async function outcomeOf(
  { url, token, dataDir, subscribers }: Readonly<{ url: string; token: string; dataDir: string; subscribers: number }>,
  known: readonly Known[],
  heard: readonly Heard[],
): Promise<Outcome> {
  const ids = new Set(known.map(({ id }) => id))
  const completed = await completedPayments(url, token)
  const own = heard.filter(({ payment }) => ids.has(payment))
  const messages = firstArrivals(own)
  const told = [...Map.groupBy(messages, courseOf).values()].map((all) => all.map(({ status }) => status))
  const count = (of: (statuses: readonly string[]) => number): number => told.reduce((sum, statuses) => sum + of(statuses), 0)
  return {
    payments: known.length,
    messages: messages.length,
    repeated: own.length - messages.length,
    notCompleted: known.filter(({ id }) => !completed.has(id ?? '')).length,
    lost: known.length * subscribers * course.length - count((statuses) => course.filter((status) => statuses.includes(status)).length),
    doubled: count((statuses) => statuses.length - new Set(statuses).size),
    unexpected: count((statuses) => statuses.filter((status) => !course.includes(status) && status !== 'UNKNOWN').length),
    executedOtherThanOnce: await executedOtherThanOnce(dataDir, known),
  }
}

/** Payments of which a subscriber heard for the first time in another order than that of their statuses. */
export function outOfOrder(known: readonly Known[], heard: readonly Heard[]): number {
  const ids = new Set(known.map(({ id }) => id))
  const courses = Map.groupBy(firstArrivals(heard.filter(({ payment }) => ids.has(payment))), courseOf)
  return [...courses.values()].filter((messages) => {
    const ranks = messages.map(({ status }) => course.indexOf(status)).filter((rank) => rank >= 0)
    return ranks.some((rank, index) => rank < (ranks[index - 1] ?? 0))
  }).length
}

/** What a subscriber keeps that deduplicates by `webhook-id`. */
function firstArrivals(heard: readonly Heard[]): readonly Heard[] {
  const firsts = new Map<string, Heard>()
  for (const each of heard) if (!firsts.has(each.webhookId)) firsts.set(each.webhookId, each)
  return [...firsts.values()]
}

function courseOf({ subscriber, payment }: Heard): string {
  return `${subscriber} ${payment}`
}

async function completedPayments(url: string, token: string): Promise<ReadonlySet<string>> {
  const completed = new Set<string>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `status=COMPLETED&limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const answer = await send('GET', `${url}/payments?${query}`, token)
    const page = JSON.parse(answer?.text ?? '') as { items: { id: string }[]; nextCursor: string | null }
    for (const { id } of page.items) completed.add(id)
    cursor = page.nextCursor
  }
  return completed
}

async function executedOtherThanOnce(dataDir: string, known: readonly Known[]): Promise<number> {
  const sandbox = await openSandboxPaymentService({
    ...nodePlatform,
    path: join(dataDir, 'payment-sandbox.sqlite'),
    secrets: () => [],
    callbackUrl: () => null,
    post: () => {
      throw new Error('nothing is sent from here')
    },
    log: { write: () => {} },
  })
  let count = 0
  for (const { id } of known) {
    const { executions, amount } = (await sandbox.held(id as PaymentId))._unsafeUnwrap()
    if (executions !== 1 || amount !== 100) count += 1
  }
  await sandbox.close()
  return count
}
