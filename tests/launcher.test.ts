import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { root } from '../scripts/lib/run-tool.ts'

type Run = Readonly<{ code: number | null; signal: string | null; stdout: string; stderr: string }>

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A repository whose `npx` is the given shell script, so that nothing is really installed. */
function repository(npx: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'cbp-launcher-'))
  folders.push(folder)
  mkdirSync(join(folder, 'packages'))
  mkdirSync(join(folder, 'bin'))
  cpSync(join(root, 'scripts/run.mjs'), join(folder, 'scripts/run.mjs'))
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  writeFileSync(join(folder, 'bin/npx'), `#!/bin/sh\necho run >> ${folder}/npx.log\nmkdir -p ${folder}/node_modules\n${npx}\n`)
  chmodSync(join(folder, 'bin/npx'), 0o755)
  return folder
}

function start(folder: string, program: string): ChildProcess {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }
  return spawn('node', [join(folder, 'scripts/run.mjs'), '--eval', program], { env })
}

function ended(child: ChildProcess): Promise<Run> {
  return new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

const installs = (folder: string) => readFileSync(join(folder, 'npx.log'), 'utf8').trim().split('\n').length

it("passes the program's output and exit code on, and nothing else", async () => {
  const folder = repository('echo installing')
  expect(await ended(start(folder, 'console.log("out"); process.exitCode = 7'))).toMatchObject({
    stdout: 'out\n',
    code: 7,
  })
})

it('installs once for several starts at the same time', async () => {
  const folder = repository('sleep 0.5')
  const runs = await Promise.all([1, 2, 3].map((n) => ended(start(folder, `console.log(${n})`))))
  expect(runs.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n'])
  expect(installs(folder)).toBe(1)
})

it('installs again when a manifest has changed', async () => {
  const folder = repository('true')
  await ended(start(folder, ''))
  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'changed')
  await ended(start(folder, ''))
  await ended(start(folder, ''))
  expect(installs(folder)).toBe(2)
})

it('starts nothing after a failed installation, says how to mend it and tries again next time', async () => {
  const folder = repository('exit 3')
  const failed = await ended(start(folder, 'console.log("out")'))
  expect(failed).toMatchObject({ code: 1, stdout: '' })
  expect(failed.stderr).toContain('What usually mends it')
  expect(existsSync(join(folder, 'node_modules/.install-stamp'))).toBe(false)
  await ended(start(folder, ''))
  expect(installs(folder)).toBe(2)
})

it('takes over the lock of a process that is gone', async () => {
  const folder = repository('true')
  const gone = spawn('true')
  await ended(gone)
  mkdirSync(join(folder, '.install-lock'))
  writeFileSync(join(folder, '.install-lock/pid'), String(gone.pid))
  expect(await ended(start(folder, 'console.log("out")'))).toMatchObject({ stdout: 'out\n', code: 0 })
})

it('passes a signal on and ends as the program does', async () => {
  const child = start(root, 'process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up")')
  child.stdout?.once('data', () => child.kill('SIGTERM'))
  expect(await ended(child)).toMatchObject({ code: 5, stdout: 'up\n' })
})

it('passes one interrupt on once, however often it arrives', async () => {
  const program =
    'let n = 0; process.on("SIGINT", () => { n += 1; setTimeout(() => process.exit(n), 300) }); setInterval(() => {}, 1000); console.log("up")'
  const child = start(root, program)
  child.stdout?.once('data', () => {
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGINT'), 50)
  })
  expect(await ended(child)).toMatchObject({ code: 1 })
})
