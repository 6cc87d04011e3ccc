import type { Address, EntryVersion, JsonValue, VersionDiff, VersionNumber } from '@cbp/core'
import { entryBody } from '@cbp/http/bodies'
import { err, ok, type Result, safeTry } from 'neverthrow'
import type { OpenCore } from '../host.ts'
import { type Failure, refused } from '../output/failure.ts'
import { type DiffSide, unifiedDiff } from '../output/json-text.ts'
import type { Action, Answer, Session } from '../session.ts'
import { settle, usingCore } from '../settle.ts'
import { readAddress } from './inputs.ts'

export type DiffOptions = Readonly<{ scope: string; from?: number; to?: number }>

export const showDiff: Action<[component: string, key: string], DiffOptions> = async (session, options, component, key) => {
  const address = readAddress(component, key, options.scope)
  if (address.isErr()) return err(address.error)
  const at = address.value
  return usingCore(session, (open) =>
    safeTry<Answer, Failure>(async function* () {
      const { from, to } = yield* await chooseSides(session, open, at, options)
      return ok(diffAnswer(at, yield* settle(session, open.core.config.diff(at, from, to))))
    }),
  )
}

type Sides = Readonly<{ from: VersionNumber; to: VersionNumber }>

async function chooseSides(session: Session, { core }: OpenCore, at: Address, options: DiffOptions): Promise<Result<Sides, Failure>> {
  const newest = async (): Promise<Result<VersionNumber, Failure>> =>
    settle(session, core.config.versions(at, { before: null, limit: 1 })).map(({ items }) => items[0]?.version ?? 0)
  const to = options.to === undefined ? await newest() : ok<VersionNumber, Failure>(options.to)
  if (to.isErr()) return err(to.error)
  const from = options.from ?? to.value - 1
  if (from < 1) {
    return err(
      refused('nothing-before', 'Version 1 is the first; there is nothing before it to compare with.', 'Name both sides: --from and --to.'),
    )
  }
  return ok({ from, to: to.value })
}

function diffAnswer(at: Address, { from, to, differences }: VersionDiff): Answer {
  return {
    json: { ...at, from: entryBody(from), to: entryBody(to), differences },
    text: (style) =>
      unifiedDiff(style, sideOf(at, from), sideOf(at, to)) || `Versions ${from.version} and ${to.version} hold the same value.\n`,
  }
}

/** One side of a diff; `null` is an entry that does not exist. */
export function sideOf(at: Address, version: EntryVersion | null): DiffSide {
  const place = `${at.component}/${at.key} at ${at.scope}`
  if (version === null) return { title: `${place} (absent)`, value: undefined }
  return { title: `${place} version ${version.version}`, value: contentOf(version) }
}

function contentOf(version: EntryVersion): JsonValue | undefined {
  return version.op === 'put' ? version.value : undefined
}
