import { faulty, type Problem } from '../problems/problem.ts'

/** Entity tags of a condition (RFC 9110, 8.8.3 and 13.1), or `'*'`. */
export type EntityTags = '*' | readonly string[]

const tagList = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*(?:[ \t]*,)?$/
const eachTag = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g

/** Reads If-Match or If-None-Match without the mark of compression; `null` when it is malformed. */
export function parseEntityTags(field: string): EntityTags | null {
  const list = field.trim()
  if (list === '*') return '*'
  if (!tagList.test(list)) return null
  return (field.match(eachTag) ?? []).map(withoutCompression)
}

/** A compressed body is another representation with a tag of its own, of the same entity. */
function withoutCompression(tag: string): string {
  return tag.endsWith('-gzip"') ? `${tag.slice(0, -6)}"` : tag
}

/** Whether a representation is the one that If-None-Match names: weak comparison. `null` when the field is malformed. */
export function isNamedBy(field: string, etag: string): boolean | null {
  if (field === etag) return true
  const tags = parseEntityTags(field)
  if (tags === null || tags === '*') return tags === null ? null : true
  return tags.some((tag) => (tag.startsWith('W/') ? tag.slice(2) : tag) === etag)
}

export function malformedTags(name: 'if-match' | 'if-none-match'): Problem {
  return faulty('invalid-header', [
    {
      pointer: `#/header/${name}`,
      code: 'invalid-entity-tag',
      message: `${name} takes * or entity tags in double quotes, separated by commas.`,
    },
  ])
}
