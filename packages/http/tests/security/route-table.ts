import type { Endpoint } from '../../src/server/endpoint.ts'
import type { TestApp } from '../support.ts'
import { type Rule, rules } from './route-rules.ts'

export const absentId = '01890a5d-ac96-774b-bcce-b302099a8057'

export function nameOf({ method, path }: Pick<Endpoint, 'method' | 'path'>): string {
  return `${method.toUpperCase()} ${path}`
}

/** What the app has told its router, in the words of the table. */
export function routedNames({ app }: Pick<TestApp, 'app'>): readonly string[] {
  return app.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
}

/** What is wrong with an endpoint in the eyes of the table; empty when they agree. */
export function disagreements(endpoints: readonly Pick<Endpoint, 'method' | 'path' | 'permission' | 'confinement'>[]): readonly string[] {
  const known = endpoints.flatMap((endpoint): readonly string[] => {
    const name = nameOf(endpoint)
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) return [`${name} has no rule`]
    const faults: string[] = []
    if (rule.access !== endpoint.permission) faults.push(`${name} takes ${endpoint.permission}, the rule says ${rule.access}`)
    if (rule.confinement !== endpoint.confinement) {
      faults.push(`${name} is held back by ${endpoint.confinement}, the rule says ${rule.confinement}`)
    }
    if (rule.confinement === 'scope' && rule.scoped === undefined) faults.push(`the rule of ${name} does not tell how scopes confine it`)
    if (rule.confinement === 'owner' && endpoint.path.includes('{id}') && rule.object === undefined) {
      faults.push(`the rule of ${name} does not tell whose object it is about`)
    }
    return faults
  })
  const names = new Set(endpoints.map(nameOf))
  const gone = Object.keys(rules).filter((name) => !names.has(name))
  return [...known, ...gone.map((name) => `there is a rule but no route ${name}`)]
}

export type Route = Readonly<{ name: string; method: string; template: string; rule: Rule }>

export const routes: readonly Route[] = Object.entries(rules).map(([name, rule]) => {
  const [method = '', template = ''] = name.split(' ')
  return { name, method, template, rule }
})

/** The path with names in it: those of the rule, else one id for all. */
export function pathOf({ template, rule }: Route, id: string = absentId): string {
  return template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => rule.names?.[name] ?? id)
}
