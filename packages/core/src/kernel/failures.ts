/** The store did not answer in time or cannot be reached. A write so answered may, rarely, have taken effect: look before trying again. */
export type StoreUnavailable = Readonly<{ kind: 'store-unavailable'; reason: string }>

export function storeUnavailable(reason: string): StoreUnavailable {
  return { kind: 'store-unavailable', reason }
}

/** One fault in one input value. `pointer` is a JSON Pointer (RFC 6901) into that value; `''` is the whole of it. */
export type InputFault = Readonly<{ pointer: string; code: string; message: string }>
