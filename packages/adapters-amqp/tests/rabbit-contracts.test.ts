import { eventBrokerContract, signalsContract } from '@cbp/core/testing'
import { connect } from 'amqplib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type RabbitEventBroker, rabbitEventBroker } from '../src/rabbitmq/rabbit-event-broker.ts'
import { type RabbitSignals, rabbitSignals } from '../src/rabbitmq/rabbit-signals.ts'
import { openRabbit, type Rabbit, rabbitIsHere } from './rabbitmq.ts'
import { systemClock as clock, silentLog as log, systemRandom as random } from './system.ts'

let rabbit: Rabbit
let count = 0
/** Names of its own for each test: they share one broker. */
const nextPrefix = (): string => `contract-${process.pid}-${(count += 1)}.`

describe.skipIf(!rabbitIsHere())('RabbitMQ', () => {
  beforeAll(async () => {
    rabbit = await openRabbit()
  }, 120_000)
  afterAll(() => rabbit.stop())

  eventBrokerContract(async () => {
    const prefix = nextPrefix()
    const limits = { pauseBaseMs: 5, pauseCapMs: 20, drainMs: 200, window: 64 }
    const broker: RabbitEventBroker = rabbitEventBroker({ urls: [rabbit.url], clock, random, log, prefix, limits })
    return { broker, close: () => broker.close() }
  }, 8)
})
