import type {
  CancelSignal,
  Instruction,
  InstructionRefused,
  PaymentId,
  PaymentService,
  PaymentServiceUnavailable,
  RemotePayment,
  Uuid,
} from '@cbp/core'
import { err, ok, type Result, ResultAsync } from 'neverthrow'
import { accept, begunAttempts, presentState } from './attempts.ts'
import { type CallbackLimits, type CallbackPorts, sendCallbacks } from './callbacks.ts'
import type { SandboxDelays } from './modes.ts'
import { type FileFault, openSandboxFile } from './sandbox-file.ts'

export type SandboxOptions = CallbackPorts &
  Readonly<{
    /** Of the SQLite file; its directory exists. */
    path: string
    delays?: Partial<SandboxDelays>
    callbacks?: Partial<CallbackLimits>
  }>

/** What the sandbox holds of one payment. */
export type Held = Readonly<{
  /** How many attempts of it were carried out. */
  executions: number
  /** COMPLETED and not REVERSED, in the currency's minor unit. */
  amount: number
  attempts: readonly RemotePayment[]
}>

export type SandboxPaymentService = PaymentService &
  Readonly<{
    held(paymentId: PaymentId): ResultAsync<Held, PaymentServiceUnavailable>
    /** Sends callbacks until `cancel` fires. For the serving process; several share the work. */
    run(cancel: CancelSignal): Promise<void>
    close(): Promise<void>
  }>

const defaultDelays: SandboxDelays = { answerDeadlineMs: 2000, settleMs: 300, reverseMs: 2000, lateMs: 1000, betweenCallbacksMs: 100 }

const defaultCallbacks: CallbackLimits = {
  timeoutMs: 5000,
  tries: 12,
  backoffBaseMs: 500,
  backoffCapMs: 30_000,
  concurrency: 8,
  pollMs: 50,
}

/**
 * A Payment Service that moves no money, for development and tests. Its state is a file that several processes may have
 * open; what it does with a payment is asked for by `metadata.sandbox`. Rejects when the file cannot be opened.
 */
export async function openSandboxPaymentService(options: SandboxOptions): Promise<SandboxPaymentService> {
  const { clock, random } = options
  const delays = { ...defaultDelays, ...options.delays }
  const callbackLimits = { ...defaultCallbacks, ...options.callbacks }
  const file = await openSandboxFile(options.path, clock, random)

  async function instruct(given: Instruction): Promise<Result<RemotePayment, InstructionRefused | PaymentServiceUnavailable>> {
    const decided = await file.transact((statements) => accept(statements, given, clock.now(), delays))
    if (decided.isErr()) return err(unavailable(decided.error.written, decided.error.reason))
    const verdict = decided.value
    switch (verdict.kind) {
      case 'held':
        return ok(verdict.payment)
      case 'refused':
        return err({ kind: 'instruction-refused', reason: verdict.reason })
      case 'mismatch':
        return err(unavailable(true, 'this attempt was instructed before, with other content'))
      case 'silence':
        await clock.sleep(delays.answerDeadlineMs)
        return err(unavailable(true, `no answer within ${delays.answerDeadlineMs} ms`))
    }
  }

  return {
    instruct: (given) => new ResultAsync(instruct(given)),
    find: (attemptId: Uuid) => new ResultAsync(file.read((statements) => presentState(statements, attemptId, clock.now()))).mapErr(unread),
    held: (paymentId) =>
      new ResultAsync(file.read((statements) => begunAttempts(statements, paymentId, clock.now()))).map(heldOf).mapErr(unread),
    run: (cancel) => sendCallbacks(file, options, callbackLimits, cancel),
    close: () => file.close(),
  }
}

function heldOf(attempts: readonly RemotePayment[]): Held {
  const completed = attempts.filter(({ status }) => status === 'COMPLETED')
  return { executions: attempts.length, amount: completed.reduce((sum, { amount }) => sum + amount, 0), attempts }
}

function unavailable(sent: boolean, reason: string): PaymentServiceUnavailable {
  return { kind: 'payment-service-unavailable', sent, reason }
}

function unread({ reason }: FileFault): PaymentServiceUnavailable {
  return unavailable(true, reason)
}
