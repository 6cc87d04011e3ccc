import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { connected } from './line.ts'
import { temporaryDirectory } from './workspace.ts'

/** A Redis server of its own, without persistence, on a port where nobody listened. */
export type RedisServer = AsyncDisposable & Readonly<{ url: string }>

const firstPort = 20_000

export async function startRedisServer(): Promise<RedisServer> {
  const directory = temporaryDirectory()
  const port = firstPort + Math.floor(Math.random() * 10_000)
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', join(directory.path)]
  const child = spawn('redis-server', options, { stdio: 'ignore' })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', () => reject(new Error('redis-server is missing: apt-get install redis-server')))
    child.once('exit', () => reject(new Error('redis-server has ended')))
  })
  failed.catch(() => {})
  await Promise.race([failed, listening(port)])
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill()
      await exited
      directory[Symbol.dispose]()
    },
  }
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = await connected(port).catch(() => null)
    socket?.destroy()
    if (socket !== null) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
