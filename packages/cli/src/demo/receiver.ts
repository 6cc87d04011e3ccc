import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { signatureFault } from './signature.ts'

/** A message that was heard and whose signature was checked. */
export type Message = Readonly<{ id: string; type: string; payload: Readonly<Record<string, unknown>> }>

/** An endpoint on this machine, as a subscriber would run one. */
export type Receiver = AsyncDisposable &
  Readonly<{
    url: string
    /** Messages are refused until it is known. */
    trust: (secret: string) => void
    /** The first message that matches, also one that came before; `null` when `signal` fires first. */
    hear: (matches: (message: Message) => boolean, signal: AbortSignal) => Promise<Message | null>
    /** What was wrong with the last message that was refused. */
    lastFault: () => string | null
  }>

type State = {
  secret: string | null
  lastFault: string | null
  readonly messages: Map<string, Message>
  readonly listeners: Set<() => void>
}

/** Listens on a free port of the loopback, at a path that nobody guesses. */
export async function openReceiver(): Promise<Receiver> {
  const state: State = { secret: null, lastFault: null, messages: new Map(), listeners: new Set() }
  const path = `/${randomBytes(9).toString('base64url')}`
  const server = await listening((request, response) => void receive(state, path, request, response))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${path}`,
    trust: (secret) => {
      state.secret = secret
    },
    hear: (matches, signal) => hear(state, matches, signal),
    lastFault: () => state.lastFault,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listening(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onRequest).once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })
}

async function receive(state: State, path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method !== 'POST' || request.url !== path) return void response.writeHead(404).end()
    const header = (name: string): string => String(request.headers[name] ?? '')
    const headers = { id: header('webhook-id'), timestamp: header('webhook-timestamp'), signature: header('webhook-signature') }
    const body = await text(request)
    const fault = state.secret === null ? 'no secret is known yet' : signatureFault(state.secret, headers, body, Date.now())
    if (fault !== null) {
      state.lastFault = fault
      return void response.writeHead(401).end()
    }
    const { type, payload } = JSON.parse(body) as Omit<Message, 'id'>
    // The same id is the same message: its attempts are heard once.
    state.messages.set(headers.id, { id: headers.id, type, payload })
    response.writeHead(204).end()
    for (const listener of state.listeners) listener()
  } catch {
    response.destroy()
  }
}

function hear({ messages, listeners }: State, matches: (message: Message) => boolean, signal: AbortSignal): Promise<Message | null> {
  return new Promise((resolve) => {
    const end = (message: Message | null): void => {
      listeners.delete(look)
      signal.removeEventListener('abort', giveUp)
      resolve(message)
    }
    const giveUp = (): void => end(null)
    const look = (): void => {
      const found = [...messages.values()].find(matches)
      if (found !== undefined) end(found)
    }
    if (signal.aborted) return resolve(null)
    listeners.add(look)
    signal.addEventListener('abort', giveUp)
    look()
  })
}
