import ipaddr from 'ipaddr.js'
import { plainEngineFaults } from './engines-tls.ts'
import type { SettingsFault } from './settings.ts'

type Given = Readonly<Record<string, string | undefined>>

const requiredOutsideDevelopment: Readonly<Record<string, string>> = {
  CBP_JWT_ISSUER: 'only development has a key of its own',
  CBP_JWT_JWKS_URL: 'only development has a key of its own',
  CBP_KEYRING: 'only development generates a key ring',
  CBP_WEBHOOK_SECRETS: 'only development generates a secret',
  CBP_PAYMENT_SERVICE_URL: 'the sandbox Payment Service is for development',
  CBP_USER_SERVICE_URL: 'the sandbox User Service is for development',
}

/** Services that are trusted with payments, users or keys. */
const trustedServices = ['CBP_JWT_JWKS_URL', 'CBP_PAYMENT_SERVICE_URL', 'CBP_USER_SERVICE_URL']

/** What development may leave to generated keys, the other environments have to be told; production refuses shortcuts. */
export function environmentFaults(given: Given): readonly SettingsFault[] {
  const env = given['CBP_ENV']
  if (env !== 'staging' && env !== 'production') return []
  const faults: SettingsFault[] = Object.entries(requiredOutsideDevelopment)
    .filter(([name]) => given[name] === undefined)
    .map(([name, reason]) => ({ name, message: `is required in ${env}; ${reason}` }))
  if (given['CBP_JWT_SECRET'] !== undefined) {
    faults.push({ name: 'CBP_JWT_SECRET', message: `shared secrets (HS256) are for development; use CBP_JWT_JWKS_URL in ${env}` })
  }
  return env === 'staging' ? faults : [...faults, ...productionFaults(given)]
}

function productionFaults(given: Given): readonly SettingsFault[] {
  const faults: SettingsFault[] = []
  for (const name of trustedServices) {
    const url = URL.parse(given[name] ?? '')
    if (url?.protocol === 'http:') faults.push({ name, message: 'must be https in production' })
    if (url !== null && isLoopback(url.hostname)) faults.push({ name, message: 'must not be this machine itself in production' })
  }
  faults.push(...plainEngineFaults(given))
  if ((given['CBP_TRUST_PROXY'] ?? '').split(',').some((block) => isNearlyEverybody(block.trim()))) {
    const message = 'must name the proxies themselves in production: whoever is trusted decides which address a request counts for'
    faults.push({ name: 'CBP_TRUST_PROXY', message })
  }
  if (given['CBP_TLS_CERT'] === undefined && given['CBP_TLS_KEY'] === undefined && given['CBP_TRUST_PROXY'] === undefined) {
    const message =
      'production speaks TLS: name certificate and key in CBP_TLS_CERT and CBP_TLS_KEY, or the proxy that does in CBP_TRUST_PROXY'
    faults.push({ name: 'CBP_TLS_CERT', message })
  }
  return faults
}

/** Wider than any private network (10.0.0.0/8, fc00::/7); blocks that cannot be read are faults of their own. */
function isNearlyEverybody(block: string): boolean {
  if (!ipaddr.isValidCIDR(block)) return false
  const [address, bits] = ipaddr.parseCIDR(block)
  if (address instanceof ipaddr.IPv4) return bits < 8
  return address.isIPv4MappedAddress() && bits >= 96 ? bits < 96 + 8 : bits < 7
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return ipaddr.isValid(bare) && ['loopback', 'unspecified'].includes(ipaddr.process(bare).range())
}

/** Certificate and key are one; what clients have to show is nothing without them. */
export function tlsFaults(given: Given): readonly SettingsFault[] {
  const faults: SettingsFault[] = []
  const lacks = (name: string, other: string): void => {
    if (given[name] === undefined && given[other] !== undefined) faults.push({ name, message: `is required beside ${other}` })
  }
  lacks('CBP_TLS_CERT', 'CBP_TLS_KEY')
  lacks('CBP_TLS_KEY', 'CBP_TLS_CERT')
  lacks('CBP_TLS_CLIENT_CA', 'CBP_TLS_CLIENT_AUTH')
  if (given['CBP_TLS_CERT'] === undefined && given['CBP_TLS_KEY'] === undefined) lacks('CBP_TLS_CERT', 'CBP_TLS_CLIENT_CA')
  return faults
}
