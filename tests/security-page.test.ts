import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../scripts/lib/run-tool.ts'

const page = readFileSync(join(root, 'docs/security.md'), 'utf8')

/** Paths of tests in a piece of the page. */
function testsIn(text: string): readonly string[] {
  return [...text.matchAll(/`((?:packages|tests|bench)\/[\w/.-]+\.test\.ts)`/g)].map(([, path]) => path ?? '')
}

function missing(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !existsSync(join(root, path)))
}

describe('the page about security', () => {
  it('names tests that are there', () => {
    expect(testsIn(page).length).toBeGreaterThan(40)
    expect(missing(testsIn(page))).toEqual([])
    expect(missing(testsIn('see `tests/planted-nowhere.test.ts`'))).toEqual(['tests/planted-nowhere.test.ts'])
  })

  it('has a row with a test for each of the ten risks and each attacker', () => {
    const rows = page.split('\n').filter((line) => line.startsWith('| '))
    for (let number = 1; number <= 10; number += 1) {
      const [row, ...others] = rows.filter((line) => line.startsWith(`| API${number} `))
      expect(others).toEqual([])
      expect(testsIn(row ?? '')).not.toEqual([])
    }
    const attackers =
      page
        .split('## Attackers')[1]
        ?.split('\n## ')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| '))
        .slice(1) ?? []
    expect(attackers.length).toBeGreaterThan(5)
    for (const row of attackers) expect([row, testsIn(row).length]).not.toEqual([row, 0])
  })

  it('leads to pages that are there', () => {
    const targets = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target ?? '')
    expect(targets.filter((target) => !existsSync(join(root, 'docs', target)))).toEqual([])
  })
})
