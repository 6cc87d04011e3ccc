/**
 * `revisions`: a unit took a revision. `events`: an outbox row was written. `deliveries`: a webhook delivery was added.
 * `access`: an API key was rotated, revoked or changed.
 */
export type Topic = 'revisions' | 'events' | 'deliveries' | 'access'

/**
 * Port: wake-ups between writers and the background loops, perhaps of other instances.
 * A lost, late, repeated or spurious wake-up costs time, never data: every listener also polls.
 */
export interface Signals {
  raise(topic: Topic): void
  /** The listener must not throw. Returns how to stop listening. */
  listen(topic: Topic, listener: () => void): () => void
}
