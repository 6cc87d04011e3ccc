import { type Circuit, type CircuitOptions, circuit } from './circuit.ts'

type Options = Pick<CircuitOptions, 'clock' | 'random'> &
  Readonly<{ onOpen: (node: string, reason: string) => void; onClose: (node: string) => void }>

/** A circuit for each node that is in trouble; nothing at all while none is. */
export type Circuits = Readonly<{
  areSound: () => boolean
  admits: (node: string) => boolean
  succeeded: (node: string) => void
  failed: (node: string, reason: string) => void
  open: () => readonly string[]
  /** Forgets nodes that serve no more. */
  keepOnly: (nodes: ReadonlySet<string>) => void
}>

export function circuits({ clock, random, onOpen, onClose }: Options): Circuits {
  const troubled = new Map<string, Circuit>()
  return {
    areSound: () => troubled.size === 0,
    admits: (node) => troubled.get(node)?.admits() ?? true,
    succeeded(node) {
      const own = troubled.get(node)
      own?.succeeded()
      if (own?.isSound() === true) troubled.delete(node)
    },
    failed(node, reason) {
      let own = troubled.get(node)
      if (own === undefined) {
        own = circuit({ clock, random, onOpen: (why) => onOpen(node, why), onClose: () => onClose(node) })
        troubled.set(node, own)
      }
      own.failed(reason)
    },
    open: () => [...troubled].filter(([, own]) => own.isOpen()).map(([node]) => node),
    keepOnly(nodes) {
      for (const [node, own] of troubled) {
        if (nodes.has(node)) continue
        troubled.delete(node)
        if (own.isOpen()) onClose(node)
      }
    },
  }
}
