import { signalsContract } from '@cbp/core/testing'
import { inProcessSignals } from './in-process-signals.ts'

signalsContract(async () => ({ signals: inProcessSignals(), arrived: async () => {} }))
