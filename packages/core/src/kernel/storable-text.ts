/** Text from outside as any store keeps it and gives it back: at most `limit` UTF-16 code units, well-formed, without NUL. */
export function storableText(text: string, limit: number): string {
  return text.slice(0, limit).toWellFormed().replaceAll('\0', '\uFFFD')
}
