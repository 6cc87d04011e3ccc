import type { AppDependencies } from '../server/dependencies.ts'
import type { Endpoint } from '../server/endpoint.ts'
import { historyEndpoints } from './history.ts'
import { readEndpoints } from './reads.ts'
import { watchEndpoints } from './watching.ts'
import { writeEndpoints } from './writes.ts'

/** Paths of fixed words come before those with a component in their place. */
export function configEndpoints(deps: AppDependencies): readonly Endpoint[] {
  return [
    ...watchEndpoints(deps),
    ...readEndpoints(deps.core.config),
    ...writeEndpoints(deps.core.config),
    ...historyEndpoints(deps.core.config),
  ]
}
