import { InvalidArgumentError, Option } from 'commander'

/** A whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least) return value
    throw new InvalidArgumentError(`It takes a whole number from ${least} on.`)
  }
}

/** An amount in the currency's minor unit: whole, exact, at least 1. */
export function minorUnits(text: string): number {
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError("It takes a whole number of the currency's minor unit, e.g. 1250 for 12.50 EUR.")
}

/** One or more of a few words, apart by blanks or commas, or given again. */
export function someOf<Word extends string>(
  words: readonly Word[],
): (text: string, before: readonly Word[] | undefined) => readonly Word[] {
  const known = new Map<string, Word>(words.map((word) => [word, word]))
  return (text, before = []) => {
    const chosen = text.split(',').map((each) => known.get(each.trim().toUpperCase()))
    if (chosen.includes(undefined)) throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
    return [...new Set([...before, ...(chosen as readonly Word[])])]
  }
}

/** One of a few words, in whatever case. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const chosen = words.find((word) => word.toLowerCase() === text.toLowerCase())
    if (chosen === undefined) throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
    return chosen
  }
}

/** A pair such as `order=4711`; may be given again, for another name. */
export function pair(text: string, before: readonly (readonly [string, string])[] = []): readonly (readonly [string, string])[] {
  const [, name = '', value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? []
  if (name === '') throw new InvalidArgumentError('It takes name=value, e.g. order=4711.')
  if (before.some(([earlier]) => earlier === name)) throw new InvalidArgumentError(`"${name}" is given twice.`)
  return [...before, [name, value]]
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

/** How many of a list to show. */
export function limitOption(): Option {
  return option('--limit <count>', 'how many').argParser(wholeNumber(1)).default(20)
}

/** How much of a list to show, the newest first. */
export function pageOptions(what: string): readonly Option[] {
  return [limitOption(), option('--before <id>', `only ${what} older than this one`), option('--all', 'all of them, page after page')]
}
