import { type InputFault, type JsonValue, maskText } from '@cbp/core'
import { catalogue, type ProblemCode } from './catalogue.ts'

/** A problem on its way to becoming an answer; the catalogue adds status and title. */
export type Problem = Readonly<{
  code: ProblemCode
  detail: string
  errors?: readonly InputFault[]
  /** Extension members (RFC 9457, 3.2). */
  members?: Readonly<Record<string, JsonValue>>
  headers?: Readonly<Record<string, string>>
}>

export function problem(code: ProblemCode, detail: string, more: Omit<Problem, 'code' | 'detail'> = {}): Problem {
  return { code, detail, ...more }
}

/** One problem for several faults of one kind of input. */
export function faulty(code: ProblemCode, errors: readonly InputFault[]): Problem {
  const [first] = errors
  const detail = errors.length === 1 && first !== undefined ? first.message : `There are ${errors.length} faults; see errors.`
  return { code, detail, errors }
}

export function problemStatus({ code }: Problem): number {
  return catalogue[code].status
}

/** The members of `application/problem+json`. `type` is relative to the address of this service; words are masked, data is not. */
export function problemText(given: Problem, instance: string, requestId: string): string {
  const { status, title } = catalogue[given.code]
  return JSON.stringify({
    type: `/problems/${given.code}`,
    title,
    status,
    detail: maskText(given.detail),
    instance: maskText(instance),
    code: given.code,
    requestId,
    ...(given.errors === undefined ? {} : { errors: given.errors.map(maskedFault) }),
    ...given.members,
  })
}

function maskedFault({ pointer, code, message }: InputFault): InputFault {
  return { pointer: maskText(pointer), code, message: maskText(message) }
}
