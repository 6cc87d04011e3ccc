import { loadEnvironment, readSettings } from './assembly/index.ts'
import { serve } from './serve.ts'

const settings = readSettings(loadEnvironment(process.env, process.cwd()), process.cwd())
if (settings.isErr()) {
  const faults = settings.error.map(({ name, message }) => `  ${name}: ${message}\n`)
  process.stderr.write(`The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.join('')}`)
  process.exitCode = 2
} else {
  const served = await serve(settings.value)
  if (served.isErr()) process.stderr.write(`${served.error.message}\n`)
  process.exitCode = served.isErr() ? 1 : 0
}
