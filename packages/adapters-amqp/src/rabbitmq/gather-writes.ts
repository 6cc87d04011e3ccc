import type { ChannelModel } from 'amqplib'

type Writable = Readonly<{ cork(): void; uncork(): void }>

/**
 * Answers what to call before each publish, so that messages of one turn of the event loop leave together: the driver spends
 * a system call on each. It writes in an immediate after ours, and what is gathered leaves in the turn after that.
 */
export function gatherWrites(model: ChannelModel): () => void {
  const { stream } = model.connection as unknown as Readonly<{ stream?: Writable }>
  if (stream === undefined) return () => {}
  let isGathering = false
  let goesOn = false
  const hold = (): void => {
    goesOn = false
    stream.cork()
    setImmediate(release)
  }
  const release = (): void => {
    stream.uncork()
    if (goesOn) hold()
    else isGathering = false
  }
  return () => {
    goesOn = true
    if (isGathering) return
    isGathering = true
    setImmediate(hold)
  }
}
