import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One message as an endpoint of a subscriber receives it. */
export type Heard = Readonly<{ subscriber: string; type: string; payment: string; status: string; webhookId: string }>

export type WebhookSink = Readonly<{
  /** A subscriber's own has its name behind it, as one more segment. */
  url: string
  /** In the order of arrival, repetitions included. */
  heard: readonly Heard[]
  close: () => Promise<void>
}>

export async function openWebhookSink(): Promise<WebhookSink> {
  const heard: Heard[] = []
  const take = async (request: IncomingMessage): Promise<void> => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { type, payload } = JSON.parse(body) as { type: string; payload: { id: string; status: string } }
    const subscriber = request.url?.split('/').at(-1) ?? ''
    heard.push({ subscriber, type, payment: payload.id, status: payload.status, webhookId: String(request.headers['webhook-id']) })
  }
  const server = createServer((request, response) => {
    // A sender that is killed meanwhile has sent nothing.
    void take(request).then(
      () => response.writeHead(204).end(),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    heard,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
