import { ResultAsync } from 'neverthrow'
import type { EventBroker } from '../../events/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Random } from '../../kernel/random.ts'
import type { WebhookTransport } from '../../webhooks/index.ts'
import type { Life } from './life.ts'

/** The clock of one machine: off by some time, and set anew now and then, always within `skewMs` of the true one. */
export type SkewedClock = Clock & Readonly<{ heal: () => void; steps: () => number }>

type Options = Readonly<{ clock: Clock; random: Random; skewMs: number; stepRate: number }>

export function skewedClock({ clock, random, skewMs, stepRate }: Options): SkewedClock {
  const draw = (): number => Math.round((random.fraction() * 2 - 1) * skewMs)
  let offset = skewMs === 0 ? 0 : draw()
  let steps = 0
  let rate = stepRate
  return {
    now: () => clock.now() + offset,
    async sleep(ms, cancel) {
      if (rate > 0 && random.fraction() < rate) {
        steps += 1
        offset = draw()
      }
      await clock.sleep(ms, cancel)
    },
    steps: () => steps,
    heal: () => {
      offset = 0
      rate = 0
    },
  }
}

/** A process that is dead takes no more deliveries; those in its hands are never answered. */
export function livedBroker(life: Life, broker: EventBroker, onKill: (stop: () => void) => void): EventBroker {
  return {
    publish: (event) => new ResultAsync(life.around(() => broker.publish(event))),
    subscribe(consumer) {
      if (life.isOver()) return async () => {}
      const stop = broker.subscribe({ ...consumer, handle: (delivery) => new ResultAsync(life.around(() => consumer.handle(delivery))) })
      onKill(() => void stop())
      // It may have died of the first delivery.
      if (life.isOver()) void stop()
      return stop
    },
  }
}

export function livedTransport(life: Life, transport: WebhookTransport): WebhookTransport {
  return {
    check: transport.check,
    post: (request) => new ResultAsync(life.around(() => transport.post(request))),
  }
}
