export type { InProcessConfigCacheOptions } from './in-process/in-process-config-cache.ts'
export { inProcessConfigCache } from './in-process/in-process-config-cache.ts'
