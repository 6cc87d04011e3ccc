import type { IncomingMessage, ServerResponse } from 'node:http'
import { problem } from '../problems/problem.ts'
import type { ExchangeParts } from './exchange.ts'
import { plainExchange } from './fast-lane.ts'
import type { Pipeline } from './pipeline.ts'

/** Answers a request whose Expect field asks for something else than 100-continue (RFC 9110, 10.1.1). */
export type RefuseExpectation = (incoming: IncomingMessage, outgoing: ServerResponse) => void

export function refuseExpectation({ refuse }: Pipeline, parts: ExchangeParts): RefuseExpectation {
  return (incoming, outgoing) => {
    const [path = '', query = ''] = (incoming.url ?? '').split('?', 2)
    const exchange = plainExchange(incoming, outgoing, { path, query, params: {} }, parts)
    const expected = (incoming.headers.expect ?? '').slice(0, 100)
    // What follows may be a body that nobody is going to read.
    const refusal = problem('expectation-failed', `Expect: ${expected} is not known here.`, { headers: { connection: 'close' } })
    void refuse(refusal, exchange).then(({ status, headers, body }) => {
      outgoing.writeHead(status, headers)
      outgoing.end(body ?? undefined)
    })
  }
}
