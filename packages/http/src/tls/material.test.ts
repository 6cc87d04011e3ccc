import { generateKeyPairSync } from 'node:crypto'
import { appendFile, chmod, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { authority, clientAuthority, type PairFiles, pairFiles } from '../../tests/tls.ts'
import { readMaterial } from './material.ts'

async function faultsOf(files: PairFiles, withClients = false): Promise<readonly string[]> {
  const settings = { ...files, clientCaPath: withClients ? files.clientCaPath : null, clientAuth: 'optional' } as const
  const read = await readMaterial(settings, Date.now())
  return read.isErr() ? read.error : []
}

describe('the files of TLS', () => {
  it('are taken when they fit each other', async () => {
    const files = await pairFiles({ names: ['api.example', '192.0.2.7'], validToDays: 20 })
    const read = await readMaterial({ ...files, clientAuth: 'optional' }, Date.now())
    const { expiresAt, ...material } = read._unsafeUnwrap()
    expect(material).toMatchObject({ names: 'DNS:api.example, IP Address:192.0.2.7', clientCa: [clientAuthority.cert.trim()] })
    expect(material.fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(Math.round((expiresAt - Date.now()) / 86_400_000)).toBe(20)
  })

  it.each([false, true])('tell whether the root is among them (%s)', async (withRoot) => {
    const files = await pairFiles()
    if (withRoot) await appendFile(files.certPath, authority.cert)
    const read = await readMaterial({ ...files, clientAuth: 'optional' }, Date.now())
    expect(read._unsafeUnwrap().hasRoot).toBe(withRoot)
  })

  it('are all named at once when they are missing', async () => {
    const files = await pairFiles()
    await rm(files.directory, { recursive: true })
    const faults = await faultsOf(files, true)
    expect(faults).toHaveLength(3)
    for (const name of ['CBP_TLS_CERT', 'CBP_TLS_KEY', 'CBP_TLS_CLIENT_CA']) expect(faults.join()).toContain(`does not exist; mend ${name}`)
  })

  it.each([0o604, 0o640, 0o660, 0o644])('are refused with a key that is open to others (mode %o)', async (mode) => {
    const files = await pairFiles()
    await chmod(files.keyPath, mode)
    expect(await faultsOf(files)).toEqual([expect.stringMatching(`is open to others \\(mode 0${mode.toString(8)}\\); run: chmod 600`)])
  })

  it('are refused when the key belongs to another certificate', async () => {
    const files = await pairFiles()
    const { key } = await authority.issue()
    await writeFile(files.keyPath, key)
    expect(await faultsOf(files)).toEqual([expect.stringContaining('does not fit the certificate')])
  })

  it.each([
    [{ validFromDays: -9, validToDays: -1 }, 'has expired'],
    [{ validFromDays: 1 }, 'is not valid before'],
  ])('are refused outside of their time: %j', async (details, said) => {
    expect(await faultsOf(await pairFiles(details))).toEqual([expect.stringContaining(said)])
  })

  it.each(['pkcs8', 'pkcs1'] as const)('are refused with a key under a password (%s), and told how to take it off', async (type) => {
    const files = await pairFiles()
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
    })
    await writeFile(files.keyPath, privateKey)
    expect(await faultsOf(files)).toEqual([expect.stringMatching(/protected by a password.*openssl pkey -in/)])
  })

  it('are refused when they are no PEM, without a word of what they hold', async () => {
    const files = await pairFiles()
    for (const path of [files.certPath, files.keyPath, files.clientCaPath]) await writeFile(path, 'hunter2')
    const faults = await faultsOf(files, true)
    expect(faults).toHaveLength(3)
    expect(faults.join()).not.toContain('hunter2')
  })

  it('are refused with an authority that is none', async () => {
    const files = await pairFiles()
    const { cert } = await clientAuthority.issue({ for: 'client', names: ['billing'] })
    await writeFile(files.clientCaPath, clientAuthority.cert + cert)
    expect(await faultsOf(files, true)).toEqual([expect.stringContaining('CN=billing, which is no authority')])
  })

  it('are refused with a certificate that is half written', async () => {
    const files = await pairFiles()
    await writeFile(files.certPath, cropped(authority.cert))
    expect(await faultsOf(files)).toEqual([expect.stringContaining('is none in PEM')])
  })
})

/** As it stands on disk while it is written. */
function cropped(text: string): string {
  return text.slice(0, text.length / 2)
}
