/** The store did not answer in time or cannot be reached; nothing is known to have changed. */
export type StoreUnavailable = Readonly<{ kind: 'store-unavailable'; reason: string }>

export function storeUnavailable(reason: string): StoreUnavailable {
  return { kind: 'store-unavailable', reason }
}

/** One fault in one input value. `pointer` is a JSON Pointer (RFC 6901) into that value; `''` is the whole of it. */
export type InputFault = Readonly<{ pointer: string; code: string; message: string }>
