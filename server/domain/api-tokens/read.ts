import { noteTokenUsed, tokenOwner } from '../../../db/queries/api-tokens.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import { FULL_ROSTER, type Scope } from '../../api/scopes.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Viewer } from '../access/policy.ts'
import { managingRoles, runsVeryUnit } from '../actor.ts'

/** The row of a token is brought up to date no more often than this. */
const USED_EVERY_MS = 60_000

/** Who calls: a token, and its maker with no more rights than the token's unit gives. */
export interface Caller {
  tokenId: number
  tokenName: string
  /** The top of all that the token reaches. */
  unit: UnitRow
  scopes: ReadonlySet<string>
  viewer: Viewer
}

/**
 * Whom a token stands for; null for one that is unknown, ended, expired, or whose maker does not run its unit any more.
 * The maker appears with one role, at the token's unit: what they may do elsewhere, and the groups they own, are not the
 * token's.
 */
export async function readToken(rt: DomainRuntime, token: string): Promise<Caller | null> {
  const now = rt.clock.now()
  const tokenIndexes = rt.vault.indexes('api-token', token)
  const owner = await tokenOwner(rt.db, tokenIndexes, now)
  if (!owner) return null
  const { unit, roles } = owner
  const role = managingRoles(rt.templates, { roles }).find(each => unit.path.startsWith(each.unitPath))
  if (!role) return null
  const { lastUsedAt, tokenIndex } = owner.token
  // of another key: the token is here only now, so now is the time to index it anew
  const isOld = tokenIndex !== tokenIndexes[0]
  if (isOld || lastUsedAt === null || now.getTime() - lastUsedAt.getTime() >= USED_EVERY_MS)
    await noteTokenUsed(rt.db, owner.token.id, {
      tokenIndex: rt.vault.index('api-token', token),
      lastUsedAt: now,
    })
  return {
    tokenId: owner.token.id,
    tokenName: owner.token.name,
    unit,
    scopes: new Set(
      owner.token.scopes.filter(
        scope => (scope as Scope) !== FULL_ROSTER || runsVeryUnit(rt.templates, { roles }, unit.id),
      ),
    ),
    viewer: {
      sessionId: 0,
      isAdministrator: false,
      actor: {
        identityId: 0,
        channel: 'api',
        address: '',
        person: { id: owner.token.createdBy, name: owner.personName },
        roles: [{ ...role, unitId: unit.id, unitName: unit.name, unitPath: unit.path, level: unit.level }],
        ownsGroups: false,
        boundBy: 'code',
      },
    },
  }
}

/** What an entry of the audit log says of a deed that was done with a token: `by` tells it from one done by hand. */
export function throughToken({ tokenId, tokenName }: Caller) {
  return { by: 'api', tokenId, tokenName }
}
