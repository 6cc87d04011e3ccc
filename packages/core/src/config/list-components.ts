import type { ResultAsync } from 'neverthrow'
import type { StoreUnavailable } from '../kernel/failures.ts'
import { type Page, pageOf } from '../kernel/page.ts'
import { zeroRevision } from '../kernel/unit-of-work.ts'
import type { Component } from './address.ts'
import type { ComponentSummary, ConfigStore, Head } from './ports/config-store.ts'
import { systemComponents } from './shipped-defaults.ts'

export type ComponentList = Page<ComponentSummary, Component> & Readonly<{ head: Head }>

/** Components by name: those ever written, and those whose defaults ship. */
export type ListComponents = (page: Readonly<{ after: string | null; limit: number }>) => ResultAsync<ComponentList, StoreUnavailable>

export function listComponents(store: ConfigStore): ListComponents {
  // The head is read last, so that no component is newer than the head it is listed under.
  return ({ after, limit }) =>
    store.components(after, limit + 1).andThen((written) =>
      store.head().map((head) => {
        const names = new Set(written.map(({ component }) => component))
        const shipped = systemComponents
          .filter((component) => !names.has(component) && (after === null || component > after))
          .map((component): ComponentSummary => ({ component, entries: 0, revision: zeroRevision }))
        const byName = [...written, ...shipped].sort((left, right) => (left.component < right.component ? -1 : 1))
        return { ...pageOf(byName, limit, ({ component }) => component), head }
      }),
    )
}
