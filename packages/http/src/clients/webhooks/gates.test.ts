import { expect, it } from 'vitest'
import { gates } from './gates.ts'

const patient = new AbortController().signal

it('lets in as many as the limit for each key, and the others in the order of arrival', async () => {
  const doors = gates(2)
  const entered: string[] = []
  for (const who of ['a1', 'a2', 'a3', 'a4', 'b1']) void doors.enter(who.slice(0, 1), patient).then(() => entered.push(who))
  await Promise.resolve()
  expect(entered).toEqual(['a1', 'a2', 'b1'])
  doors.leave('a')
  await Promise.resolve()
  expect(entered).toEqual(['a1', 'a2', 'b1', 'a3'])
})

it('passes over those who have given up', async () => {
  const doors = gates(1)
  const impatient = new AbortController()
  await doors.enter('a', patient)
  const second = doors.enter('a', impatient.signal)
  const third = doors.enter('a', patient)
  impatient.abort()
  doors.leave('a')
  expect(await Promise.all([second, third, doors.enter('a', impatient.signal)])).toEqual([false, true, false])
})

it('opens again once everybody has left', async () => {
  const doors = gates(1)
  for (let turn = 0; turn < 3; turn += 1) {
    expect(await doors.enter('a', patient)).toBe(true)
    doors.leave('a')
  }
})
