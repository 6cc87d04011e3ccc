/** Turns the Prometheus text format into OpenMetrics 1.0: counters are described without `_total`, and the end is marked. */
export function openMetricsOf(text: string): string {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name]) => name))
  const lines = text.split('\n').flatMap((line) => {
    if (line === '') return []
    const described = /^# (HELP|TYPE) (\S+)_total (.*)$/.exec(line)
    return described !== null && counters.has(described[2]) ? [`# ${described[1]} ${described[2]} ${described[3]}`] : [line]
  })
  return `${lines.join('\n')}\n# EOF\n`
}
