#!/usr/bin/env node
// Older releases load this file too: what it imports statically has to load there.
import { versionComplaint } from './node-version.ts'

const complaint = versionComplaint(process.versions.node)
if (complaint === null) {
  const { enableCompileCache } = await import('node:module')
  // Before anything else is loaded, so that all of it comes from the cache.
  enableCompileCache()
  const { runProcess } = await import('./process.ts')
  await runProcess()
} else {
  process.stderr.write(complaint)
  process.exitCode = 1
}
