import type { Driver, Session } from './driver.ts'

/** A driver that is opened with its first use, and again with the next one where that failed. */
export function lazyDriver(open: () => Promise<Driver>): Driver {
  let opening: Promise<Driver> | null = null
  let opened: Driver | null = null

  async function openOnce(): Promise<Driver> {
    try {
      opened = await open()
      return opened
    } catch (error) {
      opening = null
      throw error
    }
  }

  function whenOpen(): Promise<Driver> {
    opening ??= openOnce()
    return opening
  }

  return {
    run: async (batch) => (await whenOpen()).run(batch),
    session() {
      let session: Session | null = null
      return {
        async run(batch) {
          session ??= (await whenOpen()).session()
          return session.run(batch)
        },
        end: async () => session?.end(),
      }
    },
    figures: () => opened?.figures() ?? { size: 0, available: 0, borrowed: 0, pending: 0 },
    roundTrips: () => opened?.roundTrips() ?? 0,
    async close() {
      const driver = await opening?.catch(() => null)
      await driver?.close()
    },
  }
}
