import type { AuditService } from '../audit/index.ts'
import type { ReadTunable } from '../config/index.ts'
import type { CancelSignal } from '../kernel/cancel.ts'
import { survivingStore } from '../kernel/survive-defects.ts'
import { unitOfWork } from '../kernel/unit-of-work.ts'
import type { Ports } from '../ports.ts'
import type { DataKeys } from '../sealing/index.ts'
import type { Transaction } from '../transaction.ts'
import type { AccessService } from './access-service.ts'
import { authenticateApiKey } from './authenticate-api-key.ts'
import { createApiKey } from './create-api-key.ts'
import type { AccessWriting } from './issue-secret.ts'
import { keyCache } from './key-cache.ts'
import { type KeyUses, keyUses } from './key-uses.ts'
import { readApiKeys } from './read-api-keys.ts'
import { revokeApiKey } from './revoke-api-key.ts'
import { rotateApiKey } from './rotate-api-key.ts'
import { warnOfExpiry } from './warn-of-expiry.ts'

export type AccessDependencies = Pick<
  Ports,
  | 'apiKeyStore'
  | 'transactions'
  | 'recipientSeal'
  | 'environment'
  | 'digest'
  | 'mac'
  | 'secretSource'
  | 'clock'
  | 'ids'
  | 'random'
  | 'signals'
  | 'log'
> &
  Readonly<{ dataKeys: DataKeys; audit: Pick<AuditService, 'openTrail' | 'note'>; tunable: ReadTunable }>

export function accessService(deps: AccessDependencies): AccessService {
  const { transactions, ids, clock, random, signals, log } = deps
  // A defect of the store must not end the background work for good.
  const store = survivingStore(log, deps.apiKeyStore)
  const surviving = unitOfWork<Transaction>({ transactions: survivingStore(log, transactions), ids, clock, random, signals })
  const keys = keyCache({ ...deps, store: deps.apiKeyStore })
  const uses = keyUses({ unitOfWork: surviving, clock, log })
  const writing: AccessWriting = {
    ...deps,
    store: deps.apiKeyStore,
    unitOfWork: unitOfWork<Transaction>({ transactions, ids, clock, random, signals }),
    onChanged: () => {
      keys.drop()
      signals.raise('access')
    },
  }
  return {
    ...readApiKeys(writing),
    createApiKey: createApiKey(writing),
    rotateApiKey: rotateApiKey(writing),
    revokeApiKey: revokeApiKey(writing),
    authenticateApiKey: authenticateApiKey({ ...deps, keys, onUsed: uses.note }),
    watchKeys: (cancel) =>
      watchKeys({ ...deps, drop: keys.drop, uses, warn: () => warnOfExpiry({ ids, clock, store, unitOfWork: surviving }) }, cancel),
  }
}

type Watching = Pick<AccessDependencies, 'clock' | 'random' | 'signals'> &
  Readonly<{ drop: () => void; uses: KeyUses; warn: () => Promise<void> }>

const everyMs = 60_000
/** Spread, so that instances which started together do not all ask at once. */
const spreadMs = 5_000

async function watchKeys({ clock, random, signals, drop, uses, warn }: Watching, cancel: CancelSignal): Promise<void> {
  const stopListening = signals.listen('access', drop)
  while (!cancel.aborted) {
    await warn()
    await clock.sleep(everyMs + Math.floor(random.fraction() * spreadMs), cancel)
    await uses.write()
  }
  stopListening()
}
