#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Before anything else is loaded, so that all of it comes from the cache.
enableCompileCache()
const { runProcess } = await import('./process.ts')
await runProcess()
