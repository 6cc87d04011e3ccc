import { type LoadLimits, type RateLimit, type ReadTunable, tunables } from '@cbp/core'
import { plainPolicy, type TokenPolicy, tokenPolicy } from '../access/token-policy.ts'

/** The service's own settings that every request needs, at hand. Its parts are other objects only when they changed. */
export type EdgeSettings = Readonly<{ perIp: RateLimit; perClient: RateLimit; load: LoadLimits; tokens: TokenPolicy }>

export interface LiveSettings {
  current(): EdgeSettings
  /** Reads them again; never fails. */
  refresh(): Promise<void>
  /** Refreshes them until `cancel` fires, often enough that a change counts within a second. */
  run(cancel: AbortSignal): Promise<void>
}

const refreshEveryMs = 400

export const shippedSettings: EdgeSettings = {
  perIp: tunables.rateLimitPerIp.shipped,
  perClient: tunables.rateLimitPerClient.shipped,
  load: tunables.loadLimits.shipped,
  tokens: plainPolicy,
}

/** Requests never wait for a setting to be read: they take what was read last. */
export function liveSettings(read: ReadTunable, everyMs: number = refreshEveryMs): LiveSettings {
  let settings = shippedSettings
  let policyText = ''
  const refresh = async (): Promise<void> => {
    const [perIp, perClient, load, roles, revocations] = await Promise.all([
      read(tunables.rateLimitPerIp),
      read(tunables.rateLimitPerClient),
      read(tunables.loadLimits),
      read(tunables.tokenRoles),
      read(tunables.tokenRevocations),
    ])
    const text = JSON.stringify([roles, revocations])
    const tokens = text === policyText ? settings.tokens : tokenPolicy(roles, revocations)
    policyText = text
    settings = { perIp: kept(settings.perIp, perIp), perClient: kept(settings.perClient, perClient), load, tokens }
  }
  return {
    current: () => settings,
    refresh,
    run: async (cancel) => {
      while (!cancel.aborted) {
        await refresh()
        await pause(everyMs, cancel)
      }
    },
  }
}

function kept(before: RateLimit, now: RateLimit): RateLimit {
  return before.limit === now.limit && before.windowSeconds === now.windowSeconds ? before : now
}

function pause(ms: number, cancel: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      cancel.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    cancel.addEventListener('abort', end, { once: true })
  })
}
