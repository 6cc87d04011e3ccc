/** Whether a routing key falls under a topic pattern, word by word: `*` is exactly one word, `#` none or more. */
export function matchesTopic(pattern: string, routingKey: string): boolean {
  // One row of the usual table: whether the pattern so far matches the first n words.
  const words = routingKey.split('.')
  let matched: readonly boolean[] = [true, ...words.map(() => false)]
  for (const token of pattern.split('.')) {
    const before = matched
    const next: boolean[] = []
    for (let count = 0; count <= words.length; count += 1) {
      const oneMore = count > 0 && before[count - 1] === true && (token === '*' || token === words[count - 1])
      const anyNumber = token === '#' && (before[count] === true || next[count - 1] === true)
      next.push(token === '#' ? anyNumber : oneMore)
    }
    matched = next
  }
  return matched.at(-1) === true
}
