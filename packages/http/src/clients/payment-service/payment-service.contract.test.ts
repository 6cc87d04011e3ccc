import { type FakeClock, fakeLog, fakeRandom, type PaymentServiceHarness, paymentServiceContract } from '@cbp/core/testing'
import { describe, onTestFinished } from 'vitest'
import { clockOverFiles, openSandbox, overHttp, serve } from '../../../tests/payment-service.ts'
import { httpPaymentService } from './http-payment-service.ts'

async function sandboxHarness(): Promise<PaymentServiceHarness & Readonly<{ clock: FakeClock }>> {
  const clock = clockOverFiles()
  const sandbox = await openSandbox({ clock })
  return { paymentService: sandbox, clock, executions: async (id) => (await sandbox.held(id))._unsafeUnwrap().executions }
}

describe('the sandbox', () => paymentServiceContract(sandboxHarness))

describe('the client over the sandbox', () =>
  paymentServiceContract(async () => {
    const harness = await sandboxHarness()
    const { url } = await serve(overHttp(harness.paymentService))
    const { clock } = harness
    const client = httpPaymentService({ url: `${url}/base`, clock, random: fakeRandom(1), log: fakeLog() })
    onTestFinished(() => client.close())
    return { ...harness, paymentService: client }
  }))
