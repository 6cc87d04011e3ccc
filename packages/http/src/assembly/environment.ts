import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** The variables of the process over those of the `.env` file in `directory`, where there is one. */
export function loadEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  directory: string,
): Readonly<Record<string, string | undefined>> {
  return { ...readEnvFile(join(directory, '.env')), ...environment }
}

function readEnvFile(path: string): Readonly<Record<string, string | undefined>> {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return {}
    throw error
  }
}
