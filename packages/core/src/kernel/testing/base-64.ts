const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 with padding (RFC 4648, 4). */
export function toBase64(bytes: readonly number[]): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const [first = 0, second, third] = bytes.slice(index, index + 3)
    const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
    text += letterAt(bits >> 18) + letterAt(bits >> 12)
    text += second === undefined ? '=' : letterAt(bits >> 6)
    text += third === undefined ? '=' : letterAt(bits)
  }
  return text
}

export function fromBase64(text: string): readonly number[] {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const letter of text.replaceAll('=', '')) {
    bits = ((bits << 6) | alphabet.indexOf(letter)) & 0xffff
    held += 6
    if (held < 8) continue
    held -= 8
    bytes.push((bits >> held) & 0xff)
  }
  return bytes
}

function letterAt(bits: number): string {
  return alphabet.charAt(bits & 63)
}
