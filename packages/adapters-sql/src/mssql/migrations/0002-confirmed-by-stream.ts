/** stream_leases.confirmed says it for the whole stream: a mark on each event is one more write of each. */
export const confirmedByStream: readonly string[] = ['ALTER TABLE events DROP COLUMN confirmed_at;']
