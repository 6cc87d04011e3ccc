export type { InProcessEventBroker, InProcessEventBrokerOptions } from './in-process/in-process-event-broker.ts'
export { inProcessEventBroker } from './in-process/in-process-event-broker.ts'
export { inProcessSignals } from './in-process/in-process-signals.ts'
