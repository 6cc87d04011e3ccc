/**
 * A secret that shows nowhere by accident: logging, joining to text and serialising give `[secret]`. Who needs it says so
 * by `reveal`.
 */
export type SecretValue<Text extends string = string> = Readonly<{ reveal: () => Text; toString: () => string; toJSON: () => string }>

const hidden = (): string => '[secret]'

/** Node's `util.inspect` asks for it, and with it `console` does. */
const inspect = Symbol.for('nodejs.util.inspect.custom')

export function secretValue<Text extends string>(text: Text): SecretValue<Text> {
  const secret = { toString: hidden, toJSON: hidden, [inspect]: hidden }
  // Not enumerable, so that copies of its members and searches through them do not find it.
  return Object.freeze(Object.defineProperty(secret, 'reveal', { value: () => text })) as typeof secret & SecretValue<Text>
}
