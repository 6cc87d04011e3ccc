import { pause, send } from './payers.ts'

/** What one instance tells its readers and a watcher about one setting. */
export type ConfigFollower = Readonly<{
  /** When the watcher heard of a revision. */
  heardAt: ReadonlyMap<number, number>
  /** When a reader saw a version, or one after it. */
  seenAt: (version: number) => number | null
  reads: () => number
  /** Reads that saw an older version than a read that had ended before they began. */
  steppedBack: () => number
  /** Reads that were not answered with the setting once it was there. */
  failed: () => number
  stop: () => Promise<void>
}>

const readers = 3

export async function followConfig(url: string, token: string, component: string, key: string): Promise<ConfigFollower> {
  const heardAt = new Map<number, number>()
  const seen = new Map<number, number>()
  const ending = new AbortController()
  let [newest, reads, steppedBack, failed] = [0, 0, 0, 0]

  const read = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const before = newest
      const answer = await send('GET', `${url}/config/${component}/${key}`, token)
      reads += 1
      if (answer?.status === 200) {
        const { version } = JSON.parse(answer.text) as { version: number }
        if (version < before) steppedBack += 1
        newest = Math.max(newest, version)
        if (!seen.has(version)) seen.set(version, performance.now())
      } else if (answer?.status !== 404 || before > 0) failed += 1
      await pause(4)
    }
  }
  const response = await fetch(`${url}/config/watch?component=${component}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: ending.signal,
  })
  const watching = watch(response, (revision) => heardAt.set(revision, performance.now())).catch(() => {})
  const reading = Promise.all(Array.from({ length: readers }, read))
  return {
    heardAt,
    seenAt: (version) => {
      const times = [...seen].filter(([each]) => each >= version).map(([, at]) => at)
      return times.length === 0 ? null : Math.min(...times)
    },
    reads: () => reads,
    steppedBack: () => steppedBack,
    failed: () => failed,
    stop: async () => {
      ending.abort()
      await Promise.all([watching, reading])
    },
  }
}

async function watch(response: Response, hear: (revision: number) => void): Promise<void> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    const messages = text.split('\n\n')
    text = messages.pop() ?? ''
    for (const message of messages) {
      const data = /^data: ?(.*)$/m.exec(message)?.[1]
      if (!/^event: ?change$/m.test(message) || data === undefined) continue
      hear((JSON.parse(data) as { revision: number }).revision)
    }
  }
}
