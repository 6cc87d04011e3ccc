import type { Ports } from '@cbp/core'
import { systemRandom, uuidSource } from './identity.ts'
import { nodeDigest } from './node-digest.ts'
import { nodeMac } from './node-mac.ts'
import { nodeSecretSource } from './node-secret-source.ts'
import { systemClock } from './system-clock.ts'

/** What core needs of the machine itself, as Node has it. */
export const nodePlatform: Pick<Ports, 'clock' | 'ids' | 'random' | 'digest' | 'mac' | 'secretSource'> = {
  clock: systemClock,
  ids: uuidSource,
  random: systemRandom,
  digest: nodeDigest,
  mac: nodeMac,
  secretSource: nodeSecretSource,
}
