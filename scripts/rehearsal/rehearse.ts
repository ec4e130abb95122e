import { type Matrix, personIdsOf } from '../../db/queries/rehearsal-matrix.ts'
import { messagesSent, outcomes } from '../../db/queries/rehearsal-run.ts'
import { withRehearsalDatabase } from '../../db/rehearsal-database.ts'
import type { KnownActor } from '../../server/domain/actor.ts'
import type { RehearsalResult } from '../../server/domain/rehearsals/result.ts'
import type { PlayedPlatforms, RehearsalSettings } from '../../server/domain/rehearsals/settings.ts'
import { loadTemplates, type Templates } from '../../server/templates.ts'
import { chanceOf } from './chance.ts'
import { measure } from './measure.ts'
import { play } from './play.ts'
import { openStage } from './stage.ts'

/** The roles by which somebody runs a unit of a programme, and one that is none of these. */
export function rolesOfProgramme(
  templates: Templates,
  programme: string,
): { managing: string[]; plainRole: string } {
  const { roles } = templates.programme(programme)
  const managing = roles.filter(role => role.manages).map(role => role.id)
  return { managing, plainRole: roles.find(role => !role.manages)?.id ?? (managing[0] as string) }
}

/**
 * Rehearses a notice to all of a matrix against the simulator, in a database of its own that is gone afterwards. Nothing
 * reaches a real platform, and nothing is written into the real database.
 * @param databaseUrl beside which the database is made
 */
export function rehearse(
  databaseUrl: string,
  real: Matrix,
  settings: RehearsalSettings,
  platforms: PlayedPlatforms,
  signal: AbortSignal,
): Promise<RehearsalResult> {
  const started = performance.now()
  const matrix = withAuthor(withUsableAccounts(real, settings, platforms), loadTemplates(), platforms)
  return withRehearsalDatabase(databaseUrl, async url => {
    signal.throwIfAborted()
    const stage = await openStage(url, matrix, settings, platforms)
    try {
      const { db, templates } = stage.server.rt
      const { managing } = rolesOfProgramme(templates, matrix.programme)
      const author = authorOf(matrix, managing)
      const what = { unitId: author.roles[0]?.unitId as number, groupCount: matrix.groups.length }
      const played = await play(stage, settings, author, what, signal)
      return measure(matrix, new Set(managing), played, await outcomes(db), await messagesSent(db), {
        persons: personIdsOf(matrix).length,
        seconds: Math.round((performance.now() - started) / 1000),
      })
    } finally {
      await stage.stop()
    }
  })
}

/** Accounts of a platform that is not set up are of no use, and some owners lose those that they have. */
function withUsableAccounts(
  matrix: Matrix,
  { seed, ownersWithoutAccount }: RehearsalSettings,
  { wecom, official }: PlayedPlatforms,
): Matrix {
  const owners = new Set(matrix.groups.map(group => group.ownerId))
  const isLost = (personId: number) =>
    owners.has(personId) && chanceOf(seed, 'account lost', personId) < ownersWithoutAccount
  return {
    ...matrix,
    accounts: matrix.accounts.filter(
      ({ personId, channel }) => (channel === 'wecom' ? wecom : official) !== null && !isLost(personId),
    ),
  }
}

/** Where nobody at the top can write notices, somebody is invented who does: that is no matter of the rehearsal. */
function withAuthor(matrix: Matrix, templates: Templates, platforms: PlayedPlatforms): Matrix {
  const { managing } = rolesOfProgramme(templates, matrix.programme)
  const top = matrix.units[0]
  if (!top) throw new Error('a matrix has a unit at least')
  if (matrix.roles.some(role => role.unitId === top.id && managing.includes(role.role))) return matrix
  const personId = Math.max(0, ...personIdsOf(matrix)) + 1
  const isMember = platforms.wecom !== null
  return {
    ...matrix,
    roles: [...matrix.roles, { personId, unitId: top.id, role: managing[0] as string }],
    accounts: [
      ...matrix.accounts,
      {
        personId,
        channel: isMember ? 'wecom' : 'official-account',
        isMember,
        isReachable: true,
        isOpen: true,
      },
    ],
  }
}

/** Who sends the notice: the first at the top who may. */
function authorOf(matrix: Matrix, managing: string[]): KnownActor {
  const top = matrix.units[0]
  const role = matrix.roles.find(each => each.unitId === top?.id && managing.includes(each.role))
  if (!top || !role) throw new Error('nobody can send the notice')
  const { id: unitId, name: unitName, path: unitPath, level } = top
  return {
    identityId: 0,
    channel: 'wecom',
    address: 'author',
    boundBy: 'code',
    person: { id: role.personId, name: `演练人员${role.personId}` },
    ownsGroups: false,
    roles: [{ unitId, unitName, unitPath, programme: matrix.programme, level, role: role.role }],
  }
}
