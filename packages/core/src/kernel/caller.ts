/** Who asks, as far as core needs to know: recorded on every version, never used for authorization. */
export type Caller = Readonly<{
  /** The client, e.g. `https://issuer|billing` or `cli:operator`. */
  client: string
  requestId: string
  /** W3C Trace Context `traceparent`, carried into events. */
  traceparent: string | null
}>
