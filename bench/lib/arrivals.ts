import type { Socket } from 'node:net'
import { connected } from './line.ts'
import { percentile } from './statistics.ts'

/** Requests on kept-alive connections, one at a time on each. */
export type ArrivalPlan = Readonly<{
  port: number
  /** Its whole text; `{n}` becomes another number each time. */
  request: string
  /** How many arrive, evenly spaced, however slowly the server answers; `null`: each connection asks again once it is answered. */
  perSecond: number | null
  connections: number
  /** How many addresses they come from, in turn; 1 unless said otherwise. */
  addresses?: number
  seconds: number
}>

export type ArrivalFigures = Readonly<{
  due: number
  sent: number
  /** Not sent, because every connection was waiting for an answer. */
  unsent: number
  /** Not sent, because this process came to them too late: a burst of them would be another load than the one asked for. */
  missed: number
  /** Answers of the 200s and 300s. */
  accepted: number
  acceptedPerSecond: number
  /** Refused for too much load. */
  shed: number
  shedPerSecond: number
  /** Any other answer, connections that broke, and requests without an answer six seconds after the last. */
  failures: number
  statuses: Readonly<Record<string, number>>
  /** From the writing of a request that was accepted to its answer, as far as this process got round to reading it. */
  p50Ms: number
  p99Ms: number
  shedP50Ms: number
  /** How late this process itself was in sending. */
  lagP99Ms: number
}>

/** `sentAt`: `null` while nothing is waited for. */
type Connection = { socket: Socket; received: string; sentAt: number | null }
type Told = Readonly<{ status: number; tookMs: number }>

const openedAtOnce = 100
const drainMs = 6_000
const lateMs = 25
const number = '{n}'

/** Sends them, and tells what came of it. */
export async function arrivals({ port, request, perSecond, connections, addresses = 1, seconds }: ArrivalPlan): Promise<ArrivalFigures> {
  const [before = '', after] = request.split(number)
  const prefix = `${process.pid.toString(36)}-${Math.floor(performance.timeOrigin + performance.now()).toString(36)}-`
  const told: Told[] = []
  const lags: number[] = []
  const idle: Connection[] = []
  const all: Socket[] = []
  let [due, sent, missed, waiting, broken] = [0, 0, 0, 0, 0]
  let isOver = false

  const send = (connection: Connection, now: number): void => {
    sent += 1
    waiting += 1
    connection.sentAt = now
    connection.socket.write(after === undefined ? before : `${before}${prefix}${sent}${after}`, 'latin1')
  }
  const take = (connection: Connection, chunk: string): void => {
    const { sentAt } = connection
    if (sentAt === null) return
    connection.received = connection.received === '' ? chunk : connection.received + chunk
    const status = statusOfWhole(connection.received)
    if (status === null) return
    connection.received = ''
    waiting -= 1
    const now = performance.now()
    told.push({ status, tookMs: now - sentAt })
    connection.sentAt = null
    if (perSecond === null && !isOver) send(connection, now)
    else idle.push(connection)
  }
  const open = async (index: number): Promise<void> => {
    const connection: Connection = { socket: await connected(port, `127.0.0.${1 + (index % addresses)}`), received: '', sentAt: null }
    all.push(connection.socket)
    connection.socket.setEncoding('latin1')
    connection.socket.on('data', (chunk: string) => take(connection, chunk))
    connection.socket.on('error', () => {})
    connection.socket.on('close', () => {
      const at = idle.indexOf(connection)
      if (at !== -1) idle.splice(at, 1)
      else waiting -= 1
      if (!isOver) broken += 1
    })
    idle.push(connection)
  }
  for (let opened = 0; opened < connections; opened += openedAtOnce) {
    await Promise.all(Array.from({ length: Math.min(openedAtOnce, connections - opened) }, (_, index) => open(opened + index)))
  }

  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  if (perSecond === null) for (const connection of idle.splice(0)) send(connection, startedAt)
  for (let now = startedAt; now < endsAt; now = performance.now()) {
    const arrived = perSecond === null ? 0 : Math.floor(((now - startedAt) * perSecond) / 1000)
    for (; due < arrived; due += 1) {
      const lagMs = now - startedAt - (due * 1000) / (perSecond ?? 1)
      lags.push(lagMs)
      const connection = lagMs > lateMs ? null : idle.shift()
      if (connection === null) missed += 1
      else if (connection !== undefined) send(connection, now)
    }
    await pause(perSecond === null ? 20 : 1)
  }
  isOver = true
  for (const drainedAt = performance.now() + drainMs; waiting > 0 && performance.now() < drainedAt; ) await pause(20)
  const unanswered = waiting
  for (const socket of all) socket.destroy()
  return figuresOf(told, { due: perSecond === null ? sent : due, sent, missed, failures: broken + unanswered, lags, seconds })
}

type Counted = Readonly<{ due: number; sent: number; missed: number; failures: number; lags: readonly number[]; seconds: number }>

function figuresOf(told: readonly Told[], { due, sent, missed, failures, lags, seconds }: Counted): ArrivalFigures {
  const statuses: Record<string, number> = {}
  for (const { status } of told) statuses[status] = (statuses[status] ?? 0) + 1
  const accepted = told.filter(({ status }) => status < 400).map(({ tookMs }) => tookMs)
  const shed = told.filter(({ status }) => status === 503).map(({ tookMs }) => tookMs)
  return {
    due,
    sent,
    unsent: due - sent - missed,
    missed,
    accepted: accepted.length,
    acceptedPerSecond: accepted.length / seconds,
    shed: shed.length,
    shedPerSecond: shed.length / seconds,
    failures: failures + told.length - accepted.length - shed.length,
    statuses,
    p50Ms: percentile(accepted, 0.5),
    p99Ms: percentile(accepted, 0.99),
    shedP50Ms: percentile(shed, 0.5),
    lagP99Ms: percentile(lags, 0.99),
  }
}

/** The status of an answer that is complete; `null` while it is not. */
function statusOfWhole(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0)
  return text.length < end + 4 + length ? null : Number(text.slice(9, 12))
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
