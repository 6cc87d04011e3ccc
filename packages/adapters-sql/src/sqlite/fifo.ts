/** A queue whose ends are both constant in time. */
export type Fifo<T> = Readonly<{ size(): number; push(item: T): void; peek(): T | undefined; shift(): T | undefined }>

export function fifo<T>(): Fifo<T> {
  let items: (T | undefined)[] = []
  let start = 0
  return {
    size: () => items.length - start,
    push: (item) => void items.push(item),
    peek: () => items[start],
    shift() {
      const item = items[start]
      if (start === items.length) return undefined
      items[start] = undefined
      start += 1
      // Half of it is dead: moving the living half costs each item one move.
      if (start > 1024 && start * 2 > items.length) {
        items = items.slice(start)
        start = 0
      }
      return item
    },
  }
}
