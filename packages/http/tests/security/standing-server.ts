import { listen } from '../../src/server/listen.ts'
import { openApp, type TestApp } from '../support.ts'

export type StandingServer = TestApp & Readonly<{ url: string; close: () => Promise<void> }>

/** The app on a real socket, where the fast lane takes part, for all tests of a file; it does no background work. */
export async function openStandingServer(): Promise<StandingServer> {
  const opened = await openApp()
  const listening = await listen(opened.face, { host: '127.0.0.1', port: 0 }, opened.deps.lifecycle, () => 'test-x')
  return { ...opened, url: listening.url, close: listening.close }
}
