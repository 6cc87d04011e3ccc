import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { type SecretValue, secretValue } from '@cbp/core'
import { err, ok, type Result } from 'neverthrow'

/** Where the key-encryption keys come from. */
export type RingAddress =
  | Readonly<{ kind: 'file'; path: string }>
  /** `text`: what the variable holds; `null`: it is not set. */
  | Readonly<{ kind: 'environment'; name: string; text: SecretValue | null }>
  /** A program that answers the ring on its standard output, e.g. after it has asked a key management service. */
  | Readonly<{ kind: 'command'; program: string; args: readonly string[] }>

type Environment = Readonly<Record<string, string | undefined>>

/** Reads CBP_KEYRING: a path, `env:NAME`, or `command:/path arguments…`, apart by blanks and handed to no shell. */
export function ringAddress(setting: string, env: Environment, workingDirectory: string): RingAddress {
  if (setting.startsWith('env:')) {
    const name = setting.slice('env:'.length)
    const text = env[name]
    return { kind: 'environment', name, text: text === undefined || text === '' ? null : secretValue(text) }
  }
  if (setting.startsWith('command:')) {
    const [program = '', ...args] = setting.slice('command:'.length).trim().split(/\s+/)
    return { kind: 'command', program, args }
  }
  return { kind: 'file', path: resolve(workingDirectory, setting) }
}

/** How messages name it. */
export function ringName(address: RingAddress): string {
  switch (address.kind) {
    case 'file':
      return address.path
    case 'environment':
      return `in ${address.name}`
    case 'command':
      return `of ${address.program}`
  }
}

const commandDeadlineMs = 5000
const mostOutputBytes = 1024 * 1024

/** Its standard error may quote keys, and is not repeated. */
export function askCommand({ program, args }: Extract<RingAddress, { kind: 'command' }>): Promise<Result<string, string>> {
  return new Promise((answer) => {
    const options = {
      timeout: commandDeadlineMs,
      killSignal: 'SIGKILL',
      maxBuffer: mostOutputBytes,
      encoding: 'buffer',
      shell: false,
    } as const
    execFile(program, [...args], options, (error, stdout) => {
      const text = stdout.toString('utf8')
      stdout.fill(0)
      answer(error === null ? ok(text) : err(`cannot be had: ${whyFailed(error)}`))
    })
  })
}

function whyFailed({ code, killed }: Readonly<{ code?: string | number | null; killed?: boolean }>): string {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'the command answers more than 1 MiB'
  if (killed === true) return `the command took longer than ${commandDeadlineMs / 1000} s`
  if (typeof code === 'number') return `the command ended with exit code ${code}`
  return `the command cannot be run (${code ?? 'unknown cause'})`
}
