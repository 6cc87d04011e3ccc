import type { AuditHead } from './audit-record.ts'

/** The end of the chain as it was noted outside of the database. */
export type AuditAnchor = Pick<AuditHead, 'number' | 'mac'>

const form = /^([1-9]\d{0,14}):([A-Za-z0-9+/]{43}=)$/

/** `<number>:<MAC in base64>`; a `+` that became a blank in a query is one still. */
export function parseAnchor(text: string): AuditAnchor | null {
  const [, number, mac] = form.exec(text.replaceAll(' ', '+')) ?? []
  return number === undefined || mac === undefined ? null : { number: Number(number), mac }
}

export function formatAnchor({ number, mac }: AuditAnchor): string {
  return `${number}:${mac}`
}
