import { randomBytes } from 'node:crypto'
import type { SecretSource } from '@cbp/core'

export const nodeSecretSource: SecretSource = { base64: (bytes) => randomBytes(bytes).toString('base64') }
