import { expect } from 'vitest'
import { type CallInit, type TestApp, token } from './support.ts'

export type PaymentBody = Readonly<
  { id: string; status: string; version: number; metadata: Record<string, string> } & Record<string, unknown>
>

export const bill = { amount: 1250, currency: 'USD', payee: { id: 'water-7', name: 'City Water' }, userId: 'user-1' }

let count = 0

/** A key that no other test uses. */
export function freshKey(): string {
  count += 1
  return `key-${count}`
}

export async function asClient(
  name: string,
  scope = 'payments:read payments:write webhooks:read webhooks:write',
): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await token({ sub: name, scope })}` }
}

export function postPayment(call: TestApp['call'], body: unknown = bill, headers: CallInit['headers'] = {}): Promise<Response> {
  return call('POST', '/payments', { body, headers: { 'idempotency-key': freshKey(), ...headers } })
}

export async function createdPayment(call: TestApp['call'], body: unknown = bill, headers: CallInit['headers'] = {}): Promise<PaymentBody> {
  const response = await postPayment(call, body, headers)
  expect(response.status).toBe(201)
  return (await response.json()) as PaymentBody
}

export function process(call: TestApp['call'], id: string, headers: CallInit['headers'] = {}): Promise<Response> {
  return call('POST', `/payments/${id}/process`, { headers: { 'idempotency-key': freshKey(), ...headers } })
}
