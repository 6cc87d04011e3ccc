export { systemRandom, uuidSource } from './identity.ts'
export { nodeDigest } from './node-digest.ts'
export { systemClock } from './system-clock.ts'
