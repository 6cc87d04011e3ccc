/** What a driver's error says; it goes to logs and health, so that it must not carry credentials, and theirs do not. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Several addresses of one host fail together, with no message of their own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ')
  return error.message
}
