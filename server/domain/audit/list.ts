import {
  type AuditEntry,
  type AuditQuery,
  auditDetails,
  auditNumbersOf,
  auditOfFew,
  auditStretch,
} from '../../../db/queries/audit.ts'
import { addMonths, shanghaiMoment } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { topUnits, type Viewer } from '../access/policy.ts'
import { type AuditKind, actionsOf } from './kinds.ts'

const PAGE = 50

export interface AuditFilter {
  /** Of one unit and all below it, which the viewer runs; all that they run otherwise. */
  unit?: { path: string } | undefined
  /** By or about this person; narrows what is shown, and never widens it. */
  personId?: number | undefined
  kind?: AuditKind | undefined
  /** `YYYY-MM` */
  month?: string | undefined
  /** Only older ones than this number. */
  before?: number | undefined
}

export interface AuditPage {
  entries: AuditEntry[]
  /** Where the next, older page goes on; null at the end. */
  olderThan: number | null
}

/**
 * What was done in the units that a viewer runs, the newest first: by people who had a role there when they did it, or
 * about something that is there (a unit, group, notice, join request, roster import, token). What is about something
 * outside, done by somebody who also works there, is shown without its name.
 */
export async function listAudit(rt: DomainRuntime, viewer: Viewer, filter: AuditFilter): Promise<AuditPage> {
  const tops = topUnits(rt.templates, viewer.actor)
  const paths = filter.unit ? [filter.unit.path] : tops.map(unit => unit.path)
  const numbers =
    filter.month === undefined
      ? null
      : await auditNumbersOf(
          rt.db,
          shanghaiMoment(`${filter.month}-01`),
          shanghaiMoment(`${addMonths(filter.month, 1)}-01`),
        )
  const ids = await newestIds(
    rt,
    {
      paths,
      // an import by an operator is of a whole programme: whoever runs its root sees it
      programmes: filter.unit
        ? []
        : tops.filter(unit => /^\/\d+\/$/.test(unit.path)).map(unit => unit.programme),
      personId: filter.personId ?? null,
      actions: filter.kind === undefined ? null : actionsOf(filter.kind),
      numbers,
      before: filter.before ?? null,
    },
    PAGE + 1,
  )
  const entries = await auditDetails(
    rt.db,
    ids.slice(0, PAGE),
    tops.map(unit => unit.path),
  )
  return { entries, olderThan: ids.length > PAGE ? (ids[PAGE - 1] ?? null) : null }
}

/** Stretches in which a large office's entries are found, each longer than the one before. */
const STRETCHES = [1000, 5000]
const LONG_STRETCH = 20_000
/** People of an office whose entries are looked up one by one. */
const FEW = 3000

/**
 * The numbers of the newest entries. Most offices have some among the last thousands of the log; one that does not has
 * few, and they are looked up by its people and things.
 */
async function newestIds(rt: DomainRuntime, query: AuditQuery, limit: number): Promise<number[]> {
  const found: number[] = []
  let { before } = query
  for (let round = 0; ; round++) {
    if (round === STRETCHES.length) {
      const rest = await auditOfFew(rt.db, { ...query, before }, limit - found.length, FEW)
      if (rest) return [...found, ...rest]
    }
    const length = STRETCHES[round] ?? LONG_STRETCH
    const stretch = await auditStretch(rt.db, { ...query, before }, length)
    found.push(...stretch.ids)
    if (found.length >= limit || stretch.looked < length) return found.slice(0, limit)
    before = stretch.oldest
  }
}
