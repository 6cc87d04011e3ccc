import type { Random } from '../../kernel/random.ts'
import type { Instruction } from '../../payments/index.ts'
import type { RemoteBehaviour, RemoteCourse } from '../../payments/testing/fake-payment-service.ts'
import type { RemotePlan } from './plan.ts'

/** What comes of one sending of an instruction: trouble only while faults last. */
export function remoteBehaviour(plan: RemotePlan, random: Random, isFaulty: () => boolean): (instruction: Instruction) => RemoteBehaviour {
  // A refusal is for good, however often and however late the attempt is sent.
  const refusals = new Map<string, boolean>()
  const isRefused = ({ attemptId }: Instruction): boolean => {
    const refused = refusals.get(attemptId) ?? (random.fraction() < plan.troubleRate / 4 && isFaulty())
    refusals.set(attemptId, refused)
    return refused
  }
  const course = (): RemoteCourse => {
    const afterMs = random.fraction() < 0.3 ? 0 : Math.ceil(random.fraction() * plan.courseMs)
    const drawn = random.fraction()
    if (drawn < plan.failRate) return { kind: 'fails', afterMs, reason: 'insufficient funds' }
    if (drawn < plan.failRate + plan.reverseRate)
      return { kind: 'completes-and-reverses', afterMs, reversedAfterMs: Math.ceil(random.fraction() * plan.courseMs) }
    return { kind: 'completes', afterMs }
  }
  return (instruction) => {
    if (isRefused(instruction)) return { kind: 'refuses', reason: 'the payee is blocked' }
    if (random.fraction() >= plan.troubleRate || !isFaulty()) return course()
    switch (Math.floor(random.fraction() * 5)) {
      case 0:
        return { kind: 'times-out-before' }
      case 1:
        return { kind: 'unsent' }
      case 2:
        return { kind: 'never-answers' }
      case 3:
        return { kind: 'times-out-after', course: course() }
      default:
        return { kind: 'begins-late', afterMs: Math.ceil(random.fraction() * 70_000), course: course() }
    }
  }
}
