import { createWriteStream } from 'node:fs'

/** Lines gathered into few writes, as the host gathers its own. */
export function gatheredLog(file: string): { write(line: string): void } {
  const destination = createWriteStream(file, { flags: 'a' })
  let waiting = ''
  return {
    write(line) {
      waiting += line
      if (waiting.length < 8 * 1024) return
      destination.write(waiting)
      waiting = ''
    },
  }
}
