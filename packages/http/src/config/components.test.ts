import { describe, expect, it } from 'vitest'
import { openApp, put, type TestApp, token } from '../../tests/support.ts'

type Page = { items: { component: string; entries: number; revision: number }[]; nextCursor: string | null }

async function pagesOf({ call }: TestApp, scopes: readonly string[], limit = 500): Promise<Page[]> {
  const headers = { authorization: `Bearer ${await token({ cbp_scopes: scopes })}` }
  const pages: Page[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const response: Response = await call('GET', `/config?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`, { headers })
    expect(response.status).toBe(200)
    const page = (await response.json()) as Page
    pages.push(page)
    cursor = page.nextCursor
  }
  return pages
}

const shipped = ['delivery', 'monitoring', 'recovery', 'security']
const written = (pages: readonly Page[]): Page['items'] =>
  pages.flatMap(({ items }) => items).filter(({ component }) => !shipped.includes(component))

describe('the components of a confined token', () => {
  it('are those that show at its scopes, with what shows of them', async () => {
    const opened = await openApp()
    await put(opened.call, '/config/everyone/a', 1)
    await put(opened.call, '/config/mine/a?scope=/production', 1)
    await put(opened.call, '/config/mine/b', 1)
    await put(opened.call, '/config/mine/c?scope=/staging', 1)
    await put(opened.call, '/config/theirs/a?scope=/staging', 1)
    expect(written(await pagesOf(opened, ['/production']))).toEqual([
      { component: 'everyone', entries: 1, revision: 1 },
      { component: 'mine', entries: 2, revision: 3 },
    ])
    expect(written(await pagesOf(opened, ['/production', '/staging'])).map(({ component, entries }) => [component, entries])).toEqual([
      ['everyone', 1],
      ['mine', 3],
      ['theirs', 1],
    ])
    expect((await pagesOf(opened, [])).flatMap(({ items }) => items)).toEqual([])
  })

  it('come in pages whose cursors name nothing else, with bounded work for each', async () => {
    const opened = await openApp()
    for (let index = 100; index < 360; index += 1) await put(opened.call, `/config/hidden-${index}/a?scope=/staging`, 1)
    for (const name of ['a', 'hidden-200-x', 'z']) await put(opened.call, `/config/${name}/a?scope=/production`, 1)
    for (const limit of [1, 2, 500]) {
      const pages = await pagesOf(opened, ['/production'], limit)
      expect(written(pages).map(({ component }) => component)).toEqual(['a', 'hidden-200-x', 'z'])
      for (const { nextCursor } of pages) {
        expect(Buffer.from(nextCursor ?? '', 'base64url').toString()).not.toMatch(/hidden-\d+(?!-x|\d)/)
      }
    }
  })
})
