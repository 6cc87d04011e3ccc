import type { Address, ConditionalWrite, EntryVersion, Precondition } from '@cbp/core'
import { entryBody } from '@cbp/http/bodies'
import { err, ok, type Result } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import type { Failure } from '../output/failure.ts'
import { unifiedDiff } from '../output/json-text.ts'
import { plain } from '../output/style.ts'
import type { Answer, Session } from '../session.ts'
import { settle } from '../settle.ts'
import { sideOf } from './diff.ts'
import { readAddress, readReason } from './inputs.ts'

export type WriteOptions = Readonly<{
  scope: string
  reason: string
  ifVersion?: number
  ifMatch?: string
  create?: boolean
}>

/** What a write is about, as it was typed. */
export type WriteTarget = Readonly<{ at: Address; reason: string }>

export function readTarget(component: string, key: string, options: WriteOptions): Result<WriteTarget, Failure> {
  return readAddress(component, key, options.scope).andThen((at) => readReason(options.reason).map((reason) => ({ at, reason })))
}

/** A write that is ready to be made, and what it is made against. */
export type PreparedWrite = Readonly<{ write: ConditionalWrite; before: EntryVersion | null }>

/**
 * Reads the entry, and holds the write to it: whoever writes in between wins, and this write ends as a conflict.
 * A precondition that was given counts instead.
 */
export async function prepareWrite(
  session: Session,
  { core, caller }: OpenCore,
  { at, reason }: WriteTarget,
  options: WriteOptions,
): Promise<Result<PreparedWrite, Failure>> {
  const read = await settle(session, core.config.entry(at))
  if (read.isErr() && read.error.code !== 'entry-not-found') return err(read.error)
  const before = read.unwrapOr(null)
  const precondition = givenPrecondition(options) ?? { kind: 'version', version: before?.version ?? 0 }
  return ok({ write: { ...at, precondition, reason, caller }, before })
}

function givenPrecondition({ ifVersion, ifMatch, create }: WriteOptions): Precondition | null {
  if (create === true) return { kind: 'absent' }
  if (ifVersion !== undefined) return { kind: 'version', version: ifVersion }
  // Shells eat the quotes that belong to a tag.
  if (ifMatch !== undefined) return { kind: 'match', etags: [ifMatch.startsWith('"') ? ifMatch : `"${ifMatch}"`] }
  return null
}

/** Tells the version made and, unless it was shown before, what it changed. */
export function writtenAnswer(at: Address, made: EntryVersion, before: EntryVersion | null, isShown = false): Answer {
  const does = made.op === 'delete' ? 'removed' : 'set'
  const origin = made.restoredFrom === null ? '' : `, restoring version ${made.restoredFrom}`
  const headline = `${at.component}/${at.key} ${does} at ${at.scope}: version ${made.version}, revision ${made.revision}${origin}.`
  // Somebody may have written between the read and a write that named its own precondition: then there is no honest diff.
  const isKnown = (before?.version ?? 0) === made.version - 1 || before === null
  return {
    json: entryBody(made),
    text: (style) => {
      const diff =
        isShown || !isKnown ? '' : unifiedDiff(style, sideOf(at, before), sideOf(at, made)) || 'The value is the same as before.\n'
      return `${style.paint('green', '✔')} ${plain(headline)}\n${diff}`
    },
  }
}
