import type { RedisClient } from './driver.ts'

type Commands = Readonly<Record<string, (key: string, ...args: readonly (string | number)[]) => Promise<unknown>>>

/** Sends one command about one key; in a cluster, to the node that serves it, wherever that has moved meanwhile. */
export function ask({ kind, redis }: RedisClient, name: string, key: string, args: readonly (string | number)[]): Promise<unknown> {
  const answer = (redis as unknown as Commands)[name]?.(key, ...args) ?? Promise.reject(new Error(`there is no command ${name}`))
  if (kind === 'standalone') return answer
  return answer.catch(async (error: unknown) => {
    if (!isRedirection(reasonOf(error))) throw error
    // The driver follows redirections of a pipeline only where all its commands agree; one alone does.
    const [reply] = (await redis.pipeline([[name, key, ...args]]).exec()) ?? []
    if (reply === undefined) throw error
    if (reply[0] !== null) throw reply[0]
    return reply[1]
  })
}

/** Only the message: what else a driver's error carries may hold a password. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Answers that say that nothing was done because another node serves the key, or is about to. */
function isRedirection(reason: string): boolean {
  return /^(?:MOVED|ASK|TRYAGAIN) |^All (?:the )?keys in /.test(reason)
}
