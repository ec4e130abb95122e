import type { Outcome } from '../../../db/queries/roster-difference.ts'
import type { RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { type Effect, effectCounts, effectsOf } from '../../../db/queries/roster-effects.ts'
import {
  newBranches,
  problemsOf,
  type StagedDifference,
  type StagedProblem,
  type StagingFacts,
  stagingOfDraft,
} from '../../../db/queries/roster-staging.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { type ChangedLine, describeEntries, describePersons } from './describe-difference.ts'

/** The lists of a draft, each a page of its own. */
export const DRAFT_LISTS = ['error', 'warning', 'new', 'changed', 'moved', 'persons', 'gone', 'same'] as const
export type DraftList = (typeof DRAFT_LISTS)[number]

export interface DraftPreview {
  staging: number
  facts: StagingFacts
  /** null: the heading is wrong, and nothing was compared. */
  difference: StagedDifference | null
}

/** What a draft would do, as it was last worked out; null while it was not. @see checkDraft */
export async function previewDraft(rt: DomainRuntime, draft: RosterDraft): Promise<DraftPreview | null> {
  const staging = await stagingOfDraft(rt.db, draft.id)
  if (!staging?.facts) return null
  return { staging: staging.id, facts: staging.facts, difference: staging.difference }
}

export function draftProblems(
  rt: DomainRuntime,
  staging: number,
  severity: StagedProblem['severity'],
  limit: number,
  offset: number,
): Promise<StagedProblem[]> {
  return problemsOf(rt.db, staging, severity, limit, offset)
}

/** A part of one of the lists of what changes. */
export function draftLines(
  rt: DomainRuntime,
  staging: number,
  programme: string,
  list: Outcome | 'persons',
  limit: number,
  offset: number,
): Promise<ChangedLine[]> {
  return list === 'persons'
    ? describePersons(rt, staging, limit, offset)
    : describeEntries(rt, staging, programme, list, limit, offset)
}

/** The names of the branches that a draft makes. */
export async function draftBranches(rt: DomainRuntime, staging: number): Promise<string[]> {
  return (await newBranches(rt.db, staging)).map(branch => branch.name)
}

/** A part of what follows beyond the roster, with how much of each there is; null where it was not worked out. */
export async function draftEffects(
  rt: DomainRuntime,
  staging: number,
  kind: Effect['kind'],
  limit: number,
  offset: number,
): Promise<{ counts: Awaited<ReturnType<typeof effectCounts>>; effects: Effect[] }> {
  const counts = await effectCounts(rt.db, staging)
  return { counts, effects: counts && limit > 0 ? await effectsOf(rt.db, staging, kind, limit, offset) : [] }
}
