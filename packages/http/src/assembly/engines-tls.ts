import type { SettingsFault } from './settings.ts'

const tunnels = 'without TLS only at a loopback address, such as that of a tunnel'

/**
 * What production does not let pass: passwords, settings and events that go over a network in the clear. TLS checks
 * certificates; what signs them besides the platform's authorities is named by NODE_EXTRA_CA_CERTS.
 */
export function plainEngineFaults(given: Readonly<Record<string, string | undefined>>): readonly SettingsFault[] {
  const faults: SettingsFault[] = []
  const redis = urlsOf(given['CBP_REDIS_URL'])
  // The nodes of a cluster name each other, so that nothing is known of where the rest are.
  if (redis.some(({ protocol, hostname }) => protocol === 'redis:' && (redis.length > 1 || !isLoopback(hostname)))) {
    faults.push({
      name: 'CBP_REDIS_URL',
      message: `must be rediss:// in production (NODE_EXTRA_CA_CERTS names an authority of your own); ${tunnels}`,
    })
  }
  const amqp = urlsOf(given['CBP_AMQP_URL'])
  if (amqp.some(({ protocol, hostname }) => protocol === 'amqp:' && !isLoopback(hostname))) {
    faults.push({
      name: 'CBP_AMQP_URL',
      message: `must be amqps:// in production (NODE_EXTRA_CA_CERTS names an authority of your own); ${tunnels}`,
    })
  }
  return faults
}

/** Those that can be read; the others are faults of their own. */
function urlsOf(text: string | undefined): readonly URL[] {
  return (text ?? '').split(',').flatMap((each) => URL.parse(each.trim()) ?? [])
}

/** As it stands in a URL of a scheme of no special kind, where addresses keep their form. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
