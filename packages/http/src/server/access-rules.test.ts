import { describe, expect, it } from 'vitest'
import { openApp } from '../../tests/support.ts'

const { face } = await openApp()
const routes = face.endpoints.map((endpoint) => [`${endpoint.method.toUpperCase()} ${endpoint.path}`, endpoint] as const)
const open = new Set(['open', 'signature'])

describe('every route', () => {
  it.each(routes)('says who may call it, and what holds them back: %s', (_name, { permission, confinement }) => {
    expect(confinement).not.toBeNull()
    expect(permission === null).toBe(open.has(confinement ?? ''))
  })

  it('is there once', () => expect(new Set(routes.map(([name]) => name)).size).toBe(routes.length))
})

it('takes no larger a body than it needs', () => {
  const withBody = routes.filter(([, { documentation }]) => documentation.body !== null || documentation.rawBody !== null)
  const large = withBody.filter(([, { bodyLimitBytes }]) => bodyLimitBytes > 64 * 1024).map(([name]) => name)
  expect(large.filter((name) => !/\/config\/|\/users\/|\/metrics|\/logs|\/alerts/.test(name))).toEqual([])
})
