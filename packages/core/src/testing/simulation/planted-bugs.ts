import type { Mutant } from './mutants.ts'
import { plantedConsumerBugs } from './planted-consumer-bugs.ts'
import { plantedKeyBugs } from './planted-key-bugs.ts'
import { plantedPaymentBugs } from './planted-payment-bugs.ts'
import { plantedStoreBugs } from './planted-store-bugs.ts'
import { plantedWebhookBugs } from './planted-webhook-bugs.ts'

/** Bugs that real systems have had, each of which the simulation has to find. */
export const plantedBugs: readonly Mutant[] = [
  ...plantedStoreBugs,
  ...plantedConsumerBugs,
  ...plantedPaymentBugs,
  ...plantedWebhookBugs,
  ...plantedKeyBugs,
]
