/** A stream that text goes to, and how wide it is when somebody watches it. */
export type OutStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

export type InStream = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** Why the program is to end early. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'pipe-closed' | 'unwritable'

/** Everything that the program touches of the process around it. */
export type CliIo = Readonly<{
  stdin: InStream
  stdout: OutStream
  stderr: OutStream
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** The user of the operating system, by whose name the history remembers a change. */
  user: string
  /** Fires when the program is to end; its reason is an `Interruption`. */
  cancel: AbortSignal
}>

/** Resolves when the stream has taken the text. A reader that went away is not an error: `cancel` tells of it. */
export function writeText(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (text === '') return resolve()
    stream.write(text, () => resolve())
  })
}
