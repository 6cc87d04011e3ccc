import { defineConfig } from 'vitest/config'

const packages = ['core', 'adapters-sql', 'adapters-redis', 'adapters-amqp', 'http', 'cli']

/** Workspace packages resolve to their sources, so that no test needs a build first. */
const conditions = ['@cbp/source', 'module', 'node', 'development|production']

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    maxWorkers: 2,
    passWithNoTests: true,
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: { name, root: `packages/${name}`, include: ['{src,tests}/**/*.test.ts'] },
      })),
      { extends: true, test: { name: 'repository', include: ['tests/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
})
