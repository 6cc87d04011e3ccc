import { errAsync, okAsync, ResultAsync } from 'neverthrow'
import type { Clock, Instant } from '../../kernel/clock.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { canonicalJson } from '../../kernel/json.ts'
import type { PaymentId } from '../payment.ts'
import type {
  Instruction,
  InstructionRefused,
  PaymentService,
  PaymentServiceUnavailable,
  RemotePayment,
  RemoteStatus,
} from '../ports/payment-service.ts'

/** What becomes of an attempt once it has begun; times are in milliseconds from then, 0 is at once. */
export type RemoteCourse =
  | Readonly<{ kind: 'completes'; afterMs: number }>
  | Readonly<{ kind: 'fails'; afterMs: number; reason: string }>
  | Readonly<{ kind: 'completes-and-reverses'; afterMs: number; reversedAfterMs: number }>

/**
 * What one sending of an instruction comes to. `refuses`: nothing is done, and it says so. `times-out-before`: lost on
 * its way there; `times-out-after`: the answer is lost; `begins-late`: it times out, and begins after a while all the
 * same, if it still may. `unsent`: it surely never left. `never-answers`: lost, and the call hangs.
 */
export type RemoteBehaviour =
  | RemoteCourse
  | Readonly<{ kind: 'refuses'; reason: string }>
  | Readonly<{ kind: 'times-out-before' | 'unsent' | 'never-answers' }>
  | Readonly<{ kind: 'times-out-after'; course: RemoteCourse }>
  | Readonly<{ kind: 'begins-late'; afterMs: number; course: RemoteCourse }>

/** A change at the Payment Service, as its webhooks tell it. */
export type RemoteChange = RemotePayment & Readonly<{ occurredAt: Instant }>

export type FakePaymentService = PaymentService &
  Readonly<{
    /** How many attempts of the payment have begun. */
    executions(paymentId: PaymentId): number
    /** How often an instruction for the payment has been sent, whatever became of it. */
    sendings(paymentId: PaymentId): number
    /** Completed and not reversed, by payment. */
    held(): ReadonlyMap<PaymentId, RemotePayment>
  }>

type Options = Readonly<{
  clock: Clock
  /** `sending` is 1 for the first time that an instruction for the payment is sent. The default completes at once. */
  behaviourOf?: (instruction: Instruction, sending: number) => RemoteBehaviour
  /** Hears of every change of status, at its time. */
  onStatus?: (change: RemoteChange) => void
  timeoutMs?: number
}>

const begun: RemoteCourse = { kind: 'completes', afterMs: 0 }
const unanswered: PaymentServiceUnavailable = { kind: 'payment-service-unavailable', sent: true, reason: 'no answer in time' }
const notSent: PaymentServiceUnavailable = { kind: 'payment-service-unavailable', sent: false, reason: 'no connection' }

type Answer = ResultAsync<RemotePayment, InstructionRefused | PaymentServiceUnavailable>
type State = Readonly<{
  attempts: Map<Uuid, Readonly<{ remote: RemotePayment; content: string }>>
  executed: Map<PaymentId, number>
  sent: Map<PaymentId, number>
}>

/** The Payment Service in memory: every attempt runs once, whatever becomes of the answers. */
export function fakePaymentService({
  clock,
  behaviourOf = () => begun,
  onStatus = () => {},
  timeoutMs = 10_000,
}: Options): FakePaymentService {
  const state: State = { attempts: new Map(), executed: new Map(), sent: new Map() }
  const execute = executor(state, clock, onStatus)
  const timeOut = (): Answer => ResultAsync.fromSafePromise(clock.sleep(timeoutMs)).andThen(() => errAsync(unanswered))

  const receive = (instruction: Instruction, behaviour: RemoteBehaviour): Answer => {
    switch (behaviour.kind) {
      case 'completes':
      case 'fails':
      case 'completes-and-reverses':
        return execute(instruction, behaviour)
      case 'refuses': {
        const known = state.attempts.get(instruction.attemptId)
        return known === undefined ? errAsync({ kind: 'instruction-refused', reason: behaviour.reason }) : okAsync(known.remote)
      }
      case 'times-out-before':
        return timeOut()
      case 'times-out-after':
        return execute(instruction, behaviour.course).andThen(timeOut)
      case 'begins-late':
        void clock.sleep(behaviour.afterMs).then(() => execute(instruction, behaviour.course))
        return timeOut()
      case 'unsent':
        return errAsync(notSent)
      case 'never-answers':
        return new ResultAsync(new Promise(() => {}))
    }
  }

  return {
    instruct(instruction) {
      const sending = (state.sent.get(instruction.paymentId) ?? 0) + 1
      state.sent.set(instruction.paymentId, sending)
      return receive(instruction, behaviourOf(instruction, sending))
    },
    find: (attemptId) => okAsync(state.attempts.get(attemptId)?.remote ?? null),
    executions: (paymentId) => state.executed.get(paymentId) ?? 0,
    sendings: (paymentId) => state.sent.get(paymentId) ?? 0,
    held() {
      const remotes = Array.from(state.attempts.values(), ({ remote }) => remote)
      return new Map(remotes.filter(({ status }) => status === 'COMPLETED').map((remote) => [remote.paymentId, remote]))
    },
  }
}

/** Begins an attempt, or answers the state of one that has begun. */
function executor(
  { attempts, executed }: State,
  clock: Clock,
  onStatus: (change: RemoteChange) => void,
): (instruction: Instruction, course: RemoteCourse) => Answer {
  const become = (attemptId: Uuid, status: RemoteStatus, reason: string | null): void => {
    const attempt = attempts.get(attemptId)
    if (attempt === undefined) return
    const remote = { ...attempt.remote, status, reason }
    attempts.set(attemptId, { ...attempt, remote })
    onStatus({ ...remote, occurredAt: clock.now() })
  }
  const follow = async (attemptId: Uuid, course: RemoteCourse): Promise<void> => {
    if (course.afterMs > 0) await clock.sleep(course.afterMs)
    if (course.kind === 'fails') return become(attemptId, 'FAILED', course.reason)
    become(attemptId, 'COMPLETED', null)
    if (course.kind !== 'completes-and-reverses') return
    if (course.reversedAfterMs > 0) await clock.sleep(course.reversedAfterMs)
    become(attemptId, 'REVERSED', null)
  }
  return (instruction, course) => {
    const { attemptId, paymentId, amount, currency, notAfter } = instruction
    const content = contentOf(instruction)
    const known = attempts.get(attemptId)
    if (known !== undefined && known.content !== content) return errAsync({ kind: 'instruction-refused', reason: 'not the same content' })
    if (known !== undefined) return okAsync(known.remote)
    if (clock.now() >= notAfter) return errAsync({ kind: 'instruction-refused', reason: 'too late to begin' })
    const reference = `remote-${attemptId}`
    attempts.set(attemptId, { remote: { attemptId, paymentId, status: 'PROCESSING', amount, currency, reference, reason: null }, content })
    executed.set(paymentId, (executed.get(paymentId) ?? 0) + 1)
    // As far as it goes at once, it goes before the answer.
    void follow(attemptId, course)
    return okAsync(attempts.get(attemptId)?.remote as RemotePayment)
  }
}

function contentOf({ amount, currency, payee, userId, reference, metadata, paymentId }: Instruction): string {
  return canonicalJson({ amount, currency, payee, userId, reference, metadata, paymentId })
}
