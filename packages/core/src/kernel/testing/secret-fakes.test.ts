import { fakeKeyRing } from './fake-key-ring.ts'
import { fakeMac } from './fake-mac.ts'
import { fakeSecretSource } from './fake-secret-source.ts'
import { keyRingContract } from './key-ring.contract.ts'
import { macContract } from './mac.contract.ts'
import { secretSourceContract } from './secret-source.contract.ts'

macContract(async () => ({ mac: fakeMac() }))
secretSourceContract(async () => ({ secretSource: fakeSecretSource() }))
keyRingContract(async () => ({
  keyRing: fakeKeyRing(['key-1']),
  successor: fakeKeyRing(['key-2', 'key-1']),
  stranger: fakeKeyRing(['key-3']),
}))
