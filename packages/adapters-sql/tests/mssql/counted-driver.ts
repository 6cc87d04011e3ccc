import type { Driver } from '../../src/mssql/driver.ts'

/** The requests of each session that wrote, as they were sent: a unit of work is one. */
export type CountedDriver = Driver & Readonly<{ written: () => readonly (readonly string[])[] }>

export function countedDriver(driver: Driver): CountedDriver {
  const written: string[][] = []
  return {
    ...driver,
    written: () => written,
    session() {
      const session = driver.session()
      const sent: string[] = []
      return {
        async run(batch) {
          sent.push(batch.sql)
          const results = await session.run(batch)
          if (batch.transaction === 'ends') written.push(sent)
          return results
        },
        end: () => session.end(),
      }
    },
  }
}
