import { InvalidArgumentError, Option } from 'commander'

/** A whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least) return value
    throw new InvalidArgumentError(`It takes a whole number from ${least} on.`)
  }
}

/** A time span such as `90s`, `15m`, `8h` or `7d`; in seconds. */
export function seconds(text: string): number {
  const parts = /^([1-9]\d{0,8})(s|m|h|d)$/.exec(text)
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[parts?.[2] ?? '']
  if (unit === undefined) throw new InvalidArgumentError('It takes a number with its unit: s, m, h or d, e.g. 15m.')
  return Number(parts?.[1]) * unit
}

/** An option and what it is for, in one line. */
export function option(flags: string, description: string): Option {
  return new Option(flags, description)
}

/** A `--url` with the token to show there. */
export function serviceOptions(): readonly Option[] {
  return [
    option('--url <url>', 'speak to a running service instead, e.g. http://127.0.0.1:8080'),
    option('--token <token>', 'the bearer token for --url; CBP_TOKEN keeps it out of the process list'),
  ]
}
