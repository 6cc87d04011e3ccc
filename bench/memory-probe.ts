/** Preloaded into a server under measurement: tells its memory after a full collection. */
process.on('message', (message) => {
  if (message !== 'memory') return
  for (let round = 0; round < 3; round += 1) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  process.send?.({ heapUsed, external, rss })
})
process.channel?.unref()
