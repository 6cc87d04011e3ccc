import type { ConfigChange, UnitChanges } from '@cbp/core'
import { plain, type Style } from '../../output/style.ts'
import type { Session } from '../../session.ts'

/** One revision as a watcher hears of it, and where it stands afterwards. */
export type HeardUnit = Readonly<{ cursor: string; unit: UnitChanges }>

/** Prints what was heard; resolves when it is out, so that no cursor runs ahead of what was shown. */
export function printUnit({ json, outStyle, print }: Session, { cursor, unit }: HeardUnit): Promise<void> {
  if (json) return print(`${JSON.stringify({ cursor, revision: unit.revision, changes: unit.changes })}\n`)
  return print(unit.changes.map((change) => changeLine(outStyle, cursor, change)).join(''))
}

function changeLine(style: Style, cursor: string, { component, key, scope, version, op }: ConfigChange): string {
  const operation = op === 'put' ? style.paint('green', 'set  ') : style.paint('red', 'unset')
  return `${style.paint('dim', plain(cursor))}  ${operation}  ${plain(component)}/${plain(key)}  ${plain(scope)}  version ${version}\n`
}
