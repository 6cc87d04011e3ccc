export { entryBody, resolvedBody, snapshotBody } from './config/bodies.ts'
