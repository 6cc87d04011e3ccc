import type { EventsService } from '@cbp/core'
import type { Endpoint } from '../server/endpoint.ts'
import { deadLetterEndpoints } from './dead-letters.ts'
import { streamEndpoints } from './streams.ts'

export function eventEndpoints(events: EventsService): readonly Endpoint[] {
  return [...deadLetterEndpoints(events), ...streamEndpoints(events)]
}
