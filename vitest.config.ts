import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // two cores: PostgreSQL takes one
    maxWorkers: 2,
    // modules are loaded once for each worker, not for each file: what the server keeps, it keeps for a runtime
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
})
