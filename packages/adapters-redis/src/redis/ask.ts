import type { RedisClient } from './driver.ts'

type Argument = string | number
type Commands = Readonly<Record<string, (...args: readonly Argument[]) => Promise<unknown>>>
type ClientOf<Kind> = Extract<RedisClient, { kind: Kind }>

/** Sends one command of one server. */
export async function askServer({ redis }: ClientOf<'standalone'>, name: string, args: readonly Argument[]): Promise<unknown> {
  try {
    return await send(redis, name, args)
  } catch (error) {
    const reason = reasonOf(error)
    throw isOfCluster(reason)
      ? new Error(`the server belongs to a Redis Cluster, whose URL names several nodes, or one twice: ${reason}`)
      : error
  }
}

function isOfCluster(reason: string): boolean {
  return isRedirection(reason) || /^(?:CROSSSLOT|CLUSTERDOWN) /.test(reason)
}

/** Sends one command about one key to the node that serves it, wherever that has moved meanwhile. */
export async function askCluster({ redis }: ClientOf<'cluster'>, name: string, key: string, args: readonly Argument[]): Promise<unknown> {
  try {
    return await send(redis, name, [key, ...args])
  } catch (error) {
    if (!isRedirection(reasonOf(error))) throw error
    // The driver follows redirections of a pipeline only where all its commands agree; one alone does.
    const [reply] = (await redis.pipeline([[name, key, ...args]]).exec()) ?? []
    if (reply === undefined) throw error
    if (reply[0] !== null) throw reply[0]
    return reply[1]
  }
}

/** Only the message: what else a driver's error carries may hold a password. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function send(redis: RedisClient['redis'], name: string, args: readonly Argument[]): Promise<unknown> {
  return (redis as unknown as Commands)[name]?.(...args) ?? Promise.reject(new Error(`there is no command ${name}`))
}

/** Answers that say that nothing was done because another node serves the key, or is about to. */
function isRedirection(reason: string): boolean {
  return /^(?:MOVED|ASK|TRYAGAIN) |^All (?:the )?keys in /.test(reason)
}
