/**
 * SQL Server takes texts for equal that differ in spaces at their end only, in every collation. A text that ends in a
 * space is therefore stored with a mark behind it, and so, to be told from it, is one that ends in the mark.
 */
const mark = '\u0001'

export function toStored(text: string): string {
  return text.endsWith(' ') || text.endsWith(mark) ? `${text}${mark}` : text
}

export function fromStored(text: string): string {
  return text.endsWith(mark) ? text.slice(0, -1) : text
}
