import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The repository's root directory. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url))

export type ToolRun = Readonly<{ exitCode: number; output: string }>

/** Runs a program that the launcher put on the PATH; its output is collected, or passed through as it comes. */
export function runTool(
  command: string,
  args: readonly string[],
  options: Readonly<{ cwd?: string; passThrough?: boolean }> = {},
): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      stdio: options.passThrough === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    })
    const chunks: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }))
  })
}

export async function runOrExit(command: string, args: readonly string[]): Promise<void> {
  const { exitCode } = await runTool(command, args, { passThrough: true })
  if (exitCode !== 0) process.exit(exitCode)
}
