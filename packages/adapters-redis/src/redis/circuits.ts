import { type Circuit, type CircuitOptions, circuit } from './circuit.ts'

type Options = Pick<CircuitOptions, 'clock' | 'random'> &
  Readonly<{ onOpen: (node: string, reason: string) => void; onClose: (node: string) => void }>

/** A circuit for each node that is in trouble; nothing at all while none is. */
export type Circuits = Readonly<{
  areSound: () => boolean
  admits: (node: string) => boolean
  succeeded: (node: string) => void
  failed: (node: string, reason: string) => void
  /** Those that calls go without, with what went wrong last. */
  open: () => ReadonlyMap<string, string>
  /** Forgets nodes that serve no more. */
  keepOnly: (nodes: ReadonlySet<string>) => void
}>

export function circuits({ clock, random, onOpen, onClose }: Options): Circuits {
  const troubled = new Map<string, Circuit>()
  const reasons = new Map<string, string>()
  const forget = (node: string): void => {
    troubled.delete(node)
    reasons.delete(node)
  }
  return {
    areSound: () => troubled.size === 0,
    admits: (node) => troubled.get(node)?.admits() ?? true,
    succeeded(node) {
      const own = troubled.get(node)
      own?.succeeded()
      if (own?.isSound() === true) forget(node)
    },
    failed(node, reason) {
      let own = troubled.get(node)
      if (own === undefined) {
        own = circuit({ clock, random, onOpen: (why) => onOpen(node, why), onClose: () => onClose(node) })
        troubled.set(node, own)
      }
      reasons.set(node, reason)
      own.failed(reason)
    },
    open: () => new Map([...reasons].filter(([node]) => troubled.get(node)?.isOpen() === true)),
    keepOnly(nodes) {
      for (const [node, own] of troubled) {
        if (nodes.has(node)) continue
        forget(node)
        if (own.isOpen()) onClose(node)
      }
    },
  }
}
