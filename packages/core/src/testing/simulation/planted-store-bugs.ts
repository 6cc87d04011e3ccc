import { errAsync, okAsync, type ResultAsync } from 'neverthrow'
import type { Address, EntryVersion, VersionDraft } from '../../config/index.ts'
import type { EventDraft, SequencedEvent, Stream } from '../../events/index.ts'
import type { AttemptFailure, Committed, Revision, Transactions, UnitId } from '../../kernel/unit-of-work.ts'
import type { Ports } from '../../ports.ts'
import type { Transaction } from '../../transaction.ts'
import type { StorePorts } from '../fake-store/fake-store.ts'
import type { Mutant } from './mutants.ts'

/** In units of work, configuration and the relay. */
export const plantedStoreBugs: readonly Mutant[] = [
  {
    name: 'tries a unit again without settling the attempt before',
    law: 'L0',
    host: (ports) => ({ ...ports, transactions: { ...ports.transactions, settle: () => okAsync(null) } }),
  },
  {
    name: 'reports a unit as failed when only its answer was lost',
    law: 'L0',
    host: (ports) => ({ ...ports, transactions: refusingUnknownOutcomes(ports.transactions) }),
  },
  {
    name: 'lets the last writer win',
    law: 'L2',
    store: (store) => ({ ...store, transactions: renumbering(store.transactions) }),
  },
  {
    name: 'publishes in a second unit after the change',
    law: 'L11',
    host: (ports) => ({ ...ports, transactions: writingTwice(ports.transactions, ports.ids.next) }),
  },
  {
    name: 'records an event twice',
    law: 'L11',
    store: (store) => ({ ...store, transactions: repeatingEvents(store.transactions) }),
  },
  {
    name: 'labels what it read with a head that it read afterwards',
    law: 'L1',
    store: (store) => ({ ...store, configStore: headAfterRows(store.configStore) }),
  },
  {
    name: 'moves a cursor over units that it did not read',
    law: 'L6',
    store: (store) => ({ ...store, configStore: skippingUnits(store.configStore) }),
  },
  {
    name: 'reads changes from the cursor on, not after it',
    law: 'L6',
    store: (store) => ({ ...store, configStore: inclusiveChanges(store.configStore) }),
  },
  {
    name: 'caches a record as if it were newer than it is',
    law: 'L7',
    cache: (cache) => ({
      ...cache,
      write: (name, record, ttlMs) => cache.write(name, { ...record, stamp: (record.stamp + 5) as Revision }, ttlMs),
    }),
  },
  {
    name: 'confirms before the queues have the event',
    law: 'L12',
    host: (ports) => ({ ...ports, eventBroker: { ...ports.eventBroker, publish: (event) => publishLater(ports, event) } }),
  },
  {
    name: 'takes a lost broker for a confirm',
    law: 'L12',
    host: (ports) => ({
      ...ports,
      eventBroker: {
        ...ports.eventBroker,
        publish: (event) =>
          ports.eventBroker
            .publish(event)
            .orElse((failure) => (failure.kind === 'broker-unavailable' ? okAsync(undefined) : errAsync(failure))),
      },
    }),
  },
  {
    name: 'goes on behind an event that was refused',
    law: 'L13',
    store: (store) => ({ ...store, outbox: skippingRefused(store.outbox) }),
  },
  {
    name: 'records under whatever fence is current',
    law: 'L14',
    store: (store) => ({ ...store, outbox: forgivingFences(store.outbox) }),
  },
  {
    name: 'hands a fence out again after its lease was given back',
    law: 'L14',
    store: (store) => ({ ...store, outbox: repeatingFences(store.outbox) }),
  },
]

function publishLater({ clock, eventBroker }: Ports, event: SequencedEvent): ReturnType<Ports['eventBroker']['publish']> {
  void clock.sleep(20).then(() => eventBroker.publish(event))
  return okAsync(undefined)
}

type Work<T, E> = (tx: Transaction) => ResultAsync<T, E>
type Attempted<T, E> = ResultAsync<Committed<T>, E | AttemptFailure>

function refusingUnknownOutcomes(inner: Transactions<Transaction>): Transactions<Transaction> {
  return {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> =>
      inner.attempt(unit, work).mapErr((failure): E | AttemptFailure => {
        const isUnknown = (failure as { kind?: unknown }).kind === 'outcome-unknown'
        return isUnknown ? { kind: 'contended', reason: 'assumed' } : failure
      }),
  }
}

/** The precondition is held against an earlier read; the version is numbered by what is there by now. */
function renumbering(inner: Transactions<Transaction>): Transactions<Transaction> {
  const earlier = new Map<string, EntryVersion | null>()
  return {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> =>
      inner.attempt(unit, (tx) => {
        let current: EntryVersion | null = null
        const newest = (at: Address): ReturnType<Transaction['config']['newest']> =>
          tx.config.newest(at).map((read) => {
            const place = `${at.component}/${at.key}${at.scope}`
            const shown = earlier.get(place) ?? read
            earlier.set(place, read)
            current = read
            return shown
          })
        const append = (draft: VersionDraft): void => tx.config.append({ ...draft, version: (current?.version ?? 0) + 1 })
        return work({ ...tx, config: { ...tx.config, newest, append } })
      }),
  }
}

function writingTwice(inner: Transactions<Transaction>, nextId: () => UnitId): Transactions<Transaction> {
  return {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> => {
      let events: EventDraft[] = []
      const withoutEvents: Work<T, E> = (tx) => {
        events = []
        return work({ ...tx, outbox: { append: (draft) => void events.push(draft) } })
      }
      const publishing: Work<null, never> = (tx) => {
        for (const event of events) tx.outbox.append(event)
        return okAsync(null)
      }
      return inner.attempt(unit, withoutEvents).andThen((committed) =>
        inner
          .attempt(nextId(), publishing)
          .map(() => committed)
          .orElse(() => okAsync(committed)),
      )
    },
  }
}

function repeatingEvents(inner: Transactions<Transaction>): Transactions<Transaction> {
  return {
    settle: inner.settle,
    attempt: <T, E>(unit: UnitId, work: Work<T, E>): Attempted<T, E> =>
      inner.attempt(unit, (tx) => {
        const append = (draft: EventDraft): void => {
          tx.outbox.append(draft)
          if (draft.id.endsWith('1') || draft.occurredAt % 20 === 0) tx.outbox.append(draft)
        }
        return work({ ...tx, outbox: { append } })
      }),
  }
}

function headAfterRows(inner: StorePorts['configStore']): StorePorts['configStore'] {
  return {
    ...inner,
    snapshot: (component, scopes, asOf) =>
      inner.head().andThen(({ revision }) => {
        const behind = Math.max(0, revision - 1) as Revision
        return inner.snapshot(component, scopes, asOf ?? behind).map((read) => ({ ...read, revision: asOf ?? revision }))
      }),
  }
}

function skippingUnits(inner: StorePorts['configStore']): StorePorts['configStore'] {
  return {
    ...inner,
    changes: (after, selection, limit) =>
      inner
        .changes(after, selection, limit)
        .map(({ units, through }) => ({ units: units.length > 1 ? units.slice(0, -1) : units, through })),
  }
}

function inclusiveChanges(inner: StorePorts['configStore']): StorePorts['configStore'] {
  return { ...inner, changes: (after, selection, limit) => inner.changes(Math.max(0, after - 1) as Revision, selection, limit + 1) }
}

/** A stream's page begins behind an event that was once refused. */
function skippingRefused(inner: StorePorts['outbox']): StorePorts['outbox'] {
  const refused = new Set<string>()
  const nameOf = (event: Readonly<{ stream: Stream; sequence: number }>): string => `${event.stream}#${event.sequence}`
  const isTaken = (event: SequencedEvent): boolean => !refused.has(nameOf(event))
  return {
    ...inner,
    lease: (request) => inner.lease(request).map((leased) => leased.map((each) => ({ ...each, events: each.events.filter(isTaken) }))),
    record: (reports) => {
      for (const report of reports) if (report.kind === 'refused') refused.add(nameOf(report))
      return inner.record(reports)
    },
  }
}

function forgivingFences(inner: StorePorts['outbox']): StorePorts['outbox'] {
  const newest = new Map<Stream, number>()
  return {
    ...inner,
    lease: (request) =>
      inner.lease(request).map((leased) => {
        for (const { stream, fence } of leased) newest.set(stream, fence)
        return leased
      }),
    record: (reports) =>
      inner.record(reports.map((report) => ({ ...report, fence: newest.get(report.stream) ?? report.fence }))).map(() => []),
  }
}

/** What relays see of fences is coarser than what the store keeps. */
function repeatingFences(inner: StorePorts['outbox']): StorePorts['outbox'] {
  const actual = new Map<Stream, number>()
  return {
    ...inner,
    lease: (request) =>
      inner.lease(request).map((leased) =>
        leased.map((each) => {
          actual.set(each.stream, each.fence)
          return { ...each, fence: Math.ceil(each.fence / 2) }
        }),
      ),
    renew: (leases) => okAsync(leases),
    record: (reports) => inner.record(reports.map((report) => ({ ...report, fence: actual.get(report.stream) ?? 0 }))).map(() => []),
  }
}
