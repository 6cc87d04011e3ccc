import type { PaymentsService } from '@cbp/core'
import type { Endpoint } from '../server/endpoint.ts'
import { changeEndpoints } from './changes.ts'
import { readEndpoints } from './reads.ts'

export function paymentEndpoints(payments: PaymentsService): readonly Endpoint[] {
  return [...readEndpoints(payments), ...changeEndpoints(payments)]
}
