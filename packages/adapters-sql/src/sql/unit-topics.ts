import type { Revision, Topic } from '@cbp/core'

/** What listeners are to be woken for after a unit. */
export function topicsOf(revision: Revision | null, wroteEvents: boolean, addedDeliveries: boolean): readonly Topic[] {
  const topics: Topic[] = []
  if (revision !== null) topics.push('revisions')
  if (wroteEvents) topics.push('events')
  if (addedDeliveries) topics.push('deliveries')
  return topics
}
