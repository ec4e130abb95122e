import { and, eq, inArray, isNull, like, or, sql } from 'drizzle-orm'
import type { Db } from '../client.ts'
import { apiTokens, persons, units } from '../schema/index.ts'
import type { SenderRole } from './senders.ts'
import type { UnitRow } from './units.ts'

export type ApiTokenRow = typeof apiTokens.$inferSelect

/** A token that stands, with its unit, and with what its maker is today. */
export interface TokenOwner {
  token: ApiTokenRow
  unit: UnitRow
  personName: string
  roles: SenderRole[]
}

/** The token of an index that is neither ended nor expired; read anew for every request. */
export async function tokenOwner(db: Db, tokenIndexes: string[], now: Date): Promise<TokenOwner | null> {
  const [row] = await db
    .select({
      token: apiTokens,
      unit: units,
      personName: persons.name,
      roles: sql<SenderRole[] | null>`(
        select json_agg(json_build_object('unitId', u.id, 'unitName', u.name, 'unitPath', u.path,
          'programme', u.programme, 'level', u.level, 'role', r.role) order by length(u.path), r.id)
        from roles r join units u on u.id = r.unit_id
        where r.person_id = ${apiTokens.createdBy} and r.ended_at is null)`,
    })
    .from(apiTokens)
    .innerJoin(units, eq(units.id, apiTokens.unitId))
    .innerJoin(persons, eq(persons.id, apiTokens.createdBy))
    .where(
      and(
        inArray(apiTokens.tokenIndex, tokenIndexes),
        isNull(apiTokens.endedAt),
        sql`${apiTokens.expiresAt} > ${now.toISOString()}`,
      ),
    )
  return row ? { ...row, roles: row.roles ?? [] } : null
}

export type TokenInList = ApiTokenRow & { unitName: string; unitPath: string; makerName: string }

function selectTokens(db: Db) {
  return db
    .select({ token: apiTokens, unitName: units.name, unitPath: units.path, makerName: persons.name })
    .from(apiTokens)
    .innerJoin(units, eq(units.id, apiTokens.unitId))
    .innerJoin(persons, eq(persons.id, apiTokens.createdBy))
}

type Selected = Awaited<ReturnType<typeof selectTokens>>[number]
const flat = ({ token, ...rest }: Selected): TokenInList => ({ ...token, ...rest })

export async function apiTokenById(db: Db, id: number): Promise<TokenInList | null> {
  const [row] = await selectTokens(db).where(eq(apiTokens.id, id))
  return row ? flat(row) : null
}

/** The tokens of subtrees: those that can be used first, then the newest. @param paths of the top units */
export async function apiTokensUnder(
  db: Db,
  paths: string[],
  now: Date,
  page: { offset: number; limit: number },
): Promise<TokenInList[]> {
  if (paths.length === 0) return []
  const rows = await selectTokens(db)
    .where(or(...paths.map(path => like(units.path, `${path}%`))))
    .orderBy(
      sql`(${apiTokens.endedAt} is null and ${apiTokens.expiresAt} > ${now.toISOString()}) desc`,
      sql`${apiTokens.id} desc`,
    )
    .offset(page.offset)
    .limit(page.limit)
  return rows.map(flat)
}

/** Whether a unit has a token of this name that can be used. Waits for another that is being made for the unit. */
export async function hasTokenNamed(db: Db, unitId: number, name: string, now: Date): Promise<boolean> {
  await db.select({ id: units.id }).from(units).where(eq(units.id, unitId)).for('no key update')
  const rows = await db
    .select({ id: apiTokens.id })
    .from(apiTokens)
    .where(
      and(
        eq(apiTokens.unitId, unitId),
        eq(apiTokens.name, name),
        isNull(apiTokens.endedAt),
        sql`${apiTokens.expiresAt} > ${now.toISOString()}`,
      ),
    )
    .limit(1)
  return rows.length > 0
}

export async function insertApiToken(db: Db, row: typeof apiTokens.$inferInsert): Promise<number> {
  const [inserted] = await db.insert(apiTokens).values(row).returning({ id: apiTokens.id })
  return inserted?.id as number
}

/** The tokens that a person has made and that can be used. */
export function standingTokensOf(
  db: Db,
  personId: number,
  now: Date,
): Promise<{ id: number; name: string; unitId: number }[]> {
  return db
    .select({ id: apiTokens.id, name: apiTokens.name, unitId: apiTokens.unitId })
    .from(apiTokens)
    .where(
      and(
        eq(apiTokens.createdBy, personId),
        isNull(apiTokens.endedAt),
        sql`${apiTokens.expiresAt} > ${now.toISOString()}`,
      ),
    )
    .orderBy(apiTokens.id)
}

/** Tokens in use that end within a span, with who made them. */
export function tokensEnding(db: Db, after: Date, until: Date) {
  return db
    .select({
      id: apiTokens.id,
      name: apiTokens.name,
      unitName: units.name,
      createdBy: apiTokens.createdBy,
      expiresAt: apiTokens.expiresAt,
    })
    .from(apiTokens)
    .innerJoin(units, eq(units.id, apiTokens.unitId))
    .where(
      and(
        isNull(apiTokens.endedAt),
        sql`${apiTokens.expiresAt} > ${after.toISOString()} and ${apiTokens.expiresAt} <= ${until.toISOString()}`,
      ),
    )
}

/** false: it had ended before. */
export async function endApiToken(db: Db, id: number, now: Date): Promise<boolean> {
  const rows = await db
    .update(apiTokens)
    .set({ endedAt: now })
    .where(and(eq(apiTokens.id, id), isNull(apiTokens.endedAt)))
    .returning({ id: apiTokens.id })
  return rows.length === 1
}

export async function noteTokenUsed(
  db: Db,
  id: number,
  set: { tokenIndex: string; lastUsedAt: Date },
): Promise<void> {
  await db.update(apiTokens).set(set).where(eq(apiTokens.id, id))
}
