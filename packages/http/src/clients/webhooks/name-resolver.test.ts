import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dnsResolver, type NameResolver } from './name-resolver.ts'

type Records = Readonly<{ A?: readonly number[][]; AAAA?: readonly number[][] }>

const serverFailure = 2
const noSuchName = 3

/** A DNS server that knows one name with these records; a number is an error code (RFC 1035, 4.1.1), `null` is silence. */
async function resolverOver(records: Records | number | null): Promise<NameResolver> {
  const server = createSocket('udp4')
  server.on('message', (query, { port, address }) => {
    const answer = records === null ? null : answerTo(query, records)
    if (answer !== null) server.send(answer, port, address)
  })
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const resolver = dnsResolver([`127.0.0.1:${server.address().port}`])
  onTestFinished(() => {
    resolver.close()
    server.close()
  })
  return resolver
}

function answerTo(query: Buffer, records: Records | number): Buffer {
  const endOfQuestion = query.indexOf(0, 12) + 5
  const type = query.readUInt16BE(endOfQuestion - 4)
  const data = typeof records === 'number' ? [] : ((type === 28 ? records.AAAA : records.A) ?? [])
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 + (typeof records === 'number' ? records : 0), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(data.length, 6)
  const answers = data.map((bytes) => Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]))
  return Buffer.concat([header, query.subarray(12, endOfQuestion), ...answers])
}

const v6 = [0x26, 0x06, 0x47, 0, 0x47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x11]

describe('the resolver', () => {
  it('answers with all addresses of both families', async () => {
    const resolver = await resolverOver({
      A: [
        [8, 8, 8, 8],
        [127, 0, 0, 1],
      ],
      AAAA: [v6],
    })
    expect(await resolver.resolve('hooks.example.com')).toEqual(['8.8.8.8', '127.0.0.1', '2606:4700:4700::1111'])
  })

  it.each<[Records, number]>([
    [{ A: [[8, 8, 8, 8]] }, 1],
    [{ AAAA: [v6] }, 1],
  ])('is content with one family: %j', async (records, count) => {
    expect(await (await resolverOver(records)).resolve('hooks.example.com')).toHaveLength(count)
  })

  it.each([{}, noSuchName, serverFailure])('rejects when there is no address (%j)', async (records) => {
    await expect((await resolverOver(records)).resolve('hooks.example.com')).rejects.toThrow()
  })

  it('lets go of what is under way when it is closed', async () => {
    const resolver = await resolverOver(null)
    const asked = resolver.resolve('hooks.example.com')
    resolver.close()
    await expect(asked).rejects.toThrow('ECANCELLED')
  })

  it.each(['localhost', 'localhost.', 'app.localhost'])('knows %s without asking', async (name) => {
    expect(await (await resolverOver(noSuchName)).resolve(name)).toEqual(['127.0.0.1', '::1'])
  })
})
