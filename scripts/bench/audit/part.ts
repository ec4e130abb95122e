import type { DomainRuntime } from '../../../server/runtime.ts'

/** What a part of `npm run bench:audit` has found, as in the benches of the webhook and the console. */
export interface AuditTarget {
  name: string
  value: number
  /** Such as `<180`; `shown only` for a figure that nothing is asked of, a baseline or a ratio to one. */
  target: string
  /** null: nothing is asked of it. */
  holds: boolean | null
}

/** The database with the roster of `rows` volunteers in all branches of the nation (programme `xibu`), imported by the bench itself. */
export interface LoadedRoster {
  url: string
  /** The setting `DATA_KEY` under which its numbers are sealed. */
  dataKey: string
  rt: DomainRuntime
  /** What the import itself has come to: the part `import` shows it. */
  targets: AuditTarget[]
}

export interface AuditStage {
  /** The maintenance database of a PostgreSQL with durable settings; a part may make databases of its own beside it. */
  maintenanceUrl: string
  /** How many persons the roster has: 1,000,000 unless `--rows` says otherwise. */
  rows: number
  /** Made the first time that a part asks for it, by the real import, and shared by all. */
  loadedRoster(): Promise<LoadedRoster>
  /** Tells whoever waits how far it is. */
  say(line: string): void
}

/** One part: `import`, `diff`, `decide` or `reconcile`. It closes what it opened. */
export type AuditPart = (stage: AuditStage) => Promise<AuditTarget[]>

/** A figure with its limit, or without one. `<` holds below the limit, `>=` at it and above. */
export function auditTarget(name: string, value: number, sign: '<' | '>=', limit: number): AuditTarget {
  const holds = sign === '<' ? value < limit : value >= limit
  return { name, value: rounded(value), target: `${sign}${limit}`, holds }
}

export function shownOnly(name: string, value: number): AuditTarget {
  return { name, value: rounded(value), target: 'shown only', holds: null }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
