// Starts a program of this repository on the Node it needs, installing first what is missing. Plain JavaScript for Node 18
// and later: it runs before anything is installed. Stdout belongs to the program alone.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The first releases that strip types and open node:sqlite without a flag. */
const OLDEST_NODE = [22, 18]
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, 'node_modules', '.bin')
const { pnpm: pnpmVersion } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).config
const stampFile = join(root, 'node_modules', '.install-stamp')
const lockDir = join(root, '.install-lock')

class Stop extends Error {}

function manifests() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  const all = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', join('bench', 'package.json'), ...packages.sort()]
  return all.filter((file) => existsSync(join(root, file)))
}

function wantedStamp() {
  const hash = createHash('sha256').update(`pnpm ${pnpmVersion} ${process.platform} ${process.arch}\n`)
  for (const file of manifests()) hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function isInstalled(stamp) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp
}

/** Both the terminal and npm pass one Ctrl-C on, so repeats within a second are one signal. */
function passSignalsTo(child) {
  const lastSentAtMs = new Map()
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const nowMs = Date.now()
      if (nowMs - (lastSentAtMs.get(signal) ?? 0) < 1000) return
      lastSentAtMs.set(signal, nowMs)
      child.kill(signal)
    })
  }
}

function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options)
    passSignalsTo(child)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const name of SIGNALS) process.removeAllListeners(name)
      resolve({ code, signal })
    })
  })
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function lockOwner() {
  try {
    return Number(readFileSync(join(lockDir, 'pid'), 'utf8'))
  } catch {
    return null
  }
}

/** A directory that already holds its owner's pid is renamed into place, so that no lock is ever seen without an owner. */
function tryLock() {
  const mine = `${lockDir}.${process.pid}`
  mkdirSync(mine, { recursive: true })
  writeFileSync(join(mine, 'pid'), String(process.pid))
  try {
    renameSync(mine, lockDir)
    return true
  } catch {
    rmSync(mine, { recursive: true, force: true })
    return false
  }
}

/** Moves a dead owner's lock aside; one that a live process took meanwhile is put back. */
function breakLock(deadPid) {
  const aside = `${lockDir}.${process.pid}.stale`
  try {
    renameSync(lockDir, aside)
    if (readFileSync(join(aside, 'pid'), 'utf8') !== String(deadPid)) renameSync(aside, lockDir)
  } catch {
    // Another process was faster.
  }
  rmSync(aside, { recursive: true, force: true })
}

async function waitForLock(stamp) {
  let told = false
  while (!tryLock()) {
    const owner = lockOwner()
    if (owner !== null && !isAlive(owner)) breakLock(owner)
    else if (!told) {
      told = true
      process.stderr.write(`Waiting for the installation that process ${owner} runs (if there is none: rm -r .install-lock).\n`)
    }
    await sleep(100)
    if (isInstalled(stamp)) return false
  }
  return true
}

async function install(stamp) {
  process.stderr.write('Installing dependencies (first start, or they have changed) ...\n')
  rmSync(stampFile, { force: true })
  const args = ['-y', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile', '--config.confirmModulesPurge=false', '--reporter=append-only']
  const windows = process.platform === 'win32'
  const { code, signal } = await run('npx', args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows })
  if (signal !== null) throw new Stop('The installation was interrupted; the next start takes it up again.')
  if (code === 0) return writeFileSync(stampFile, stamp)
  throw new Stop(
    [
      `The installation failed (exit code ${code}); its messages are above. What usually mends it:`,
      '  - no network or registry: check `npm ping`, then start again;',
      `  - a manifest changed without its lock file: \`npx pnpm@${pnpmVersion} install\`, then start again;`,
      '  - a damaged node_modules: `rm -rf node_modules packages/*/node_modules bench/node_modules`, then start again.',
    ].join('\n'),
  )
}

async function ensureInstalled() {
  const stamp = wantedStamp()
  if (isInstalled(stamp) || !(await waitForLock(stamp))) return
  try {
    if (!isInstalled(stamp)) await install(stamp)
  } finally {
    rmSync(lockDir, { recursive: true, force: true })
  }
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
}

/** The Node from the dependencies exists for Linux only; elsewhere the caller's own has to do. */
function chooseNode() {
  const brought = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(brought)) return brought
  if (isNewEnough(process.versions.node)) return process.execPath
  throw new Stop(
    `On ${process.platform}-${process.arch} this needs Node ${OLDEST_NODE.join('.')} or newer (24 is best); this is ${process.versions.node}.`,
  )
}

async function start(args) {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'node-compile'),
  }
  const { code, signal } = await run(chooseNode(), args, { stdio: 'inherit', env })
  if (signal === null) return code
  process.kill(process.pid, signal)
  return 128 + constants.signals[signal]
}

try {
  await ensureInstalled()
  process.exitCode = await start(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Stop)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
