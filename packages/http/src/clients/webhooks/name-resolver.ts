import { Resolver } from 'node:dns/promises'
import { isLocalhost } from './target.ts'

/** Every address of a name, in text; rejects when there is none. */
export type NameResolver = Readonly<{
  resolve(name: string): Promise<readonly string[]>
  /** Lets go of what is under way. */
  close(): void
}>

/**
 * Asks DNS itself. Not `dns.lookup`: that blocks one of the few threads of libuv for each name, so that two names whose
 * servers never answer would hold up all the others, and it tries the machine's search domains.
 *
 * @param servers `address:port`; `null` for those of the machine
 */
export function dnsResolver(servers: readonly string[] | null): NameResolver {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  if (servers !== null) resolver.setServers(servers)
  return {
    resolve: async (name) => {
      if (isLocalhost(name)) return ['127.0.0.1', '::1']
      const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
      const addresses = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (addresses.length === 0) throw v4.status === 'rejected' ? v4.reason : new Error(`${name} has no address`)
      return addresses
    },
    close: () => resolver.cancel(),
  }
}
