export const confirmedByStream: string = `
-- stream_leases.confirmed says it for the whole stream: a mark on each event is one more write of each.
ALTER TABLE events DROP COLUMN confirmed_at;
`
