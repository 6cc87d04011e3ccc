import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { CancelSignal, Clock, Log } from '@cbp/core'
import { ok, type Result } from 'neverthrow'
import type { TlsSettings } from '../assembly/index.ts'
import { stampOf } from './files.ts'
import { readMaterial, type TlsFaults, type TlsMaterial } from './material.ts'

/** What of node's TLS server is needed to give it another certificate. */
type Swappable = Readonly<{ setSecureContext(options: SecureContextOptions): void }>

/** The certificate of this instance, which is followed on disk while `run` goes on. */
export type Tls = Readonly<{
  /** What a server begins with. */
  options: () => TlsOptions
  /** What is shown to new connections. */
  material: () => TlsMaterial
  /** From now on that server shows what is found on disk. */
  keepUpToDate: (server: Swappable) => void
  run: (cancel: CancelSignal) => Promise<void>
  countFailure: () => void
  /** Connections that ended before they were agreed on: another version, no certificate, no TLS at all. */
  failures: () => number
}>

export type TlsDependencies = Readonly<{ clock: Clock; log: Log; pollMs?: number; handshakeMs?: number }>

const handshakeDefaultMs = 10_000
const pollDefaultMs = 2_000

/** Reads certificate and key; answers everything that stands in the way of serving with them. */
export async function openTls(settings: TlsSettings, deps: TlsDependencies): Promise<Result<Tls, TlsFaults>> {
  // Before the files are read: what is written in between is seen again.
  const stamp = await stampOf(settings)
  const first = await readMaterial(settings, deps.clock.now())
  return first.andThen((material) => ok(following(settings, deps, { material, stamp })))
}

type Start = Readonly<{ material: TlsMaterial; stamp: string }>

function following(settings: TlsSettings, deps: TlsDependencies, start: Start): Tls {
  const { clock, log, pollMs = pollDefaultMs, handshakeMs = handshakeDefaultMs } = deps
  const servers: Swappable[] = []
  let { material, stamp } = start
  /** Looks in a row that found something unusable. */
  let faultyLooks = 0
  let failures = 0

  const swap = (found: TlsMaterial): void => {
    for (const server of servers) server.setSecureContext(contextOf(found))
    material = found
    log.write('info', 'the certificate was swapped', certificateFacts(found))
  }

  const look = async (): Promise<void> => {
    const seen = await stampOf(settings)
    // What is not valid yet becomes so without being touched.
    if (seen === stamp && faultyLooks === 0) return
    stamp = seen
    const found = await readMaterial(settings, clock.now())
    if (found.isErr()) {
      faultyLooks += 1
      // Two files are never replaced at one moment: the first look may have come in between.
      if (faultyLooks === 2)
        log.write('warn', 'the files of TLS cannot be used; those before stay in use', { reason: found.error.join(' ') })
      return
    }
    faultyLooks = 0
    if (!isSame(found.value, material)) swap(found.value)
  }

  return {
    options: () => ({
      ...contextOf(material),
      requestCert: settings.clientCaPath !== null,
      rejectUnauthorized: settings.clientAuth === 'required',
      handshakeTimeout: handshakeMs,
      ALPNProtocols: ['http/1.1'],
    }),
    material: () => material,
    keepUpToDate: (server) => void servers.push(server),
    countFailure: () => {
      failures += 1
    },
    failures: () => failures,
    run: async (cancel) => {
      while (!cancel.aborted) {
        await clock.sleep(pollMs, cancel)
        if (!cancel.aborted) await look()
      }
    },
  }
}

/** Whole each time: what is left out of a swap falls back to node's defaults, the oldest version of TLS included. */
function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContextOptions {
  return { cert, key, ...(clientCa === null ? {} : { ca: [...clientCa] }), minVersion: 'TLSv1.3' }
}

function isSame(left: TlsMaterial, right: TlsMaterial): boolean {
  return left.cert === right.cert && left.key === right.key && String(left.clientCa) === String(right.clientCa)
}

/** What the log may tell of a certificate. */
export function certificateFacts({ fingerprint, names, expiresAt }: TlsMaterial): Readonly<Record<string, string>> {
  return { fingerprint, names, expiresAt: new Date(expiresAt).toISOString() }
}
