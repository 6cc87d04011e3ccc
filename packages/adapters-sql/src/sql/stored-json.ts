const damaged = Symbol('damaged row')

/** Reads JSON that the store wrote itself; `name` tells where it stands, and the text is left out on purpose: it may be a secret. */
export function parseStored(text: unknown, name: () => string): unknown {
  try {
    return JSON.parse(text as string)
  } catch {
    const reason = `${name()} is damaged: its stored text is not JSON; stop the service and restore the newest backup`
    throw Object.assign(new Error(reason), { [damaged]: true })
  }
}

/** A row that the store cannot have written. */
export function isDamagedRow(error: unknown): error is Error {
  return error instanceof Error && damaged in error
}
