import { describe, expect, it } from 'vitest'
import { openApp } from '../support.ts'
import { disagreements, nameOf, routedNames } from './route-table.ts'

describe('the table of rules', () => {
  it('agrees with every route that the app has, and has no other', async () => {
    const opened = await openApp()
    const { endpoints } = opened.face
    expect(endpoints.map(nameOf).toSorted()).toEqual(routedNames(opened).toSorted())
    expect(disagreements(endpoints)).toEqual([])
  })

  it('finds a planted route that nobody thought about, and one that changed its mind', async () => {
    const { endpoints } = (await openApp()).face
    const planted = { method: 'get', path: '/config/{component}/{key}/secret', permission: null, confinement: null } as const
    expect(disagreements([...endpoints, planted])).toEqual(['GET /config/{component}/{key}/secret has no rule'])
    const changed = endpoints.map((each) => (nameOf(each) === 'GET /audit' ? { ...each, permission: null } : each))
    expect(disagreements(changed)).toEqual(['GET /audit takes null, the rule says audit:read'])
    const unconfined = endpoints.map((each) =>
      nameOf(each) === 'PATCH /payments/{id}' ? { ...each, confinement: 'permission' as const } : each,
    )
    expect(disagreements(unconfined)).toEqual(['PATCH /payments/{id} is held back by permission, the rule says owner'])
    expect(disagreements(endpoints.slice(1))).toEqual(['there is a rule but no route GET /health'])
  })
})
