import { eq } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { insertPersons } from '../../db/queries/persons.ts'
import { groups, roles, rosterEntries, rosterImports, units } from '../../db/schema/index.ts'
import { nameKey, soundKey } from '../../server/domain/names/name-key.ts'
import type { Vault } from '../../server/vault.ts'

/** Raw rows as they were written: what a test counts by itself. */
export interface FormMatrix {
  units: RawUnit[]
  people: { id: number; name: string; phone: string | null; wechat: string | null }[]
  imports: { id: number; appliedAt: Date }[]
  entries: RawEntry[]
  roles: {
    personId: number
    unitId: number
    role: string
    title: string | null
    startedAt: Date
    endedAt: Date | null
  }[]
  groups: RawGroup[]
}

export interface RawUnit {
  id: number
  code: string
  name: string
  kind: string
  level: string
  parentId: number | null
  path: string
  createdAt: Date
}

export interface RawEntry {
  id: number
  unitId: number
  personId: number
  role: string
  category: string | null
  status: string
  startsOn: string | null
  endsOn: string | null
  importId: number
  goneImportId: number | null
}

export interface RawGroup {
  id: number
  kind: string
  unitId: number
  name: string
  size: number
  ownerId: number | null
  createdAt: Date
  dissolvedAt: Date | null
}

/** Numbers between 0 and 1 that are the same each time (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The very moment at which a period ends. */
const NEW_YEAR = new Date('2026-01-01T00:00:00+08:00')
const day = (text: string) => new Date(`${text}T10:00:00+08:00`)

const kindsOf = {
  xibu: {
    unitKinds: ['national-office', 'province-office', 'city-office', 'county-office', 'volunteer-branch'],
    levels: ['national', 'province', 'city', 'county', 'branch'],
    groupKinds: [['national-work'], ['province-work'], ['city-work'], ['graduate-teaching'], ['branch']],
    officer: 'in-charge',
  },
  shaoxiandui: {
    unitKinds: ['national-office', 'province-committee', 'city-committee', 'county-committee', 'school'],
    levels: ['national', 'province', 'city', 'county', 'school'],
    groupKinds: [
      ['province-department-heads'],
      ['city-department-heads', 'province-committee', 'exchange'],
      ['county-leaders', 'city-studio'],
      ['brigade-counsellors', 'exchange'],
      [],
    ],
    officer: 'office-comrade',
  },
}

/**
 * Writes a matrix with everything that makes counting hard: groups dissolved before, in and after a period, groups that
 * were moved to another unit, units without data, branches without a secretary, twins with one name, entries that were
 * changed, undone, brought late or ended, and people who hold an office without being on its roster.
 */
export async function generateFormMatrix(
  db: Db,
  vault: Vault,
  programme: keyof typeof kindsOf,
  seed: number,
): Promise<FormMatrix> {
  const roll = dice(seed)
  const upTo = (most: number) => Math.floor(roll() * (most + 1))
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(roll() * list.length)] as T
  const { unitKinds, levels, groupKinds, officer } = kindsOf[programme]
  const matrix: FormMatrix = { units: [], people: [], imports: [], entries: [], roles: [], groups: [] }

  for (const at of ['2025-07-15', '2025-12-20', '2026-03-10', '2026-08-20'].map(day)) {
    const [made] = await db
      .insert(rosterImports)
      .values({
        fileName: 'x.csv',
        fileHash: 'x',
        appliedBy: 'test',
        appliedAt: at,
        newCount: 0,
        changedCount: 0,
        goneCount: 0,
        programme,
      })
      .returning({ id: rosterImports.id })
    matrix.imports.push({ id: made?.id as number, appliedAt: at })
  }
  async function grow(parent: RawUnit | null, level: number, code: string): Promise<void> {
    const createdAt = level === 4 && roll() < 0.15 ? day('2026-02-01') : day('2025-06-01')
    const [row] = await db
      .insert(units)
      .values({
        programme,
        code,
        name: `${['全国', '某省', '某市', '某县', programme === 'xibu' ? '支部' : '小学'][level]}${code}`,
        kind: unitKinds[level] as string,
        level: levels[level] as string,
        parentId: parent?.id ?? null,
        path: '',
        createdAt,
      })
      .returning()
    const unit: RawUnit = { ...(row as typeof units.$inferSelect), path: `${parent?.path ?? '/'}${row?.id}/` }
    await db.update(units).set({ path: unit.path }).where(eq(units.id, unit.id))
    matrix.units.push(unit)
    // codes that grow longer, and not in the order of their making
    const children = upTo([2, 3, 4, 3, 0][level] as number)
    for (let child = level < 2 ? Math.max(children, 2) : children; child > 0; child -= 1)
      await grow(unit, level + 1, `${code}${child}`)
  }
  await grow(null, 0, '6')

  const names = ['张伟', '王芳', '李娜', '阿依古丽·买买提', '刘洋', '陈静', '杨帆', '赵磊']
  const person = async () => {
    const name = oneOf(names)
    const number = 13800000000 + matrix.people.length
    const phone = roll() < 0.9 ? String(number) : null
    const wechat = roll() < 0.6 ? `wx_${number}` : null
    const [id] = await insertPersons(db, [
      {
        name,
        nameKey: nameKey(name),
        soundKey: soundKey(name),
        phoneSealed: phone && vault.seal(phone),
        wechatSealed: wechat && vault.seal(wechat),
        createdAt: day('2025-06-01'),
      },
    ])
    matrix.people.push({ id: id as number, name, phone, wechat })
    return id as number
  }
  const imports = matrix.imports
  const enters = async (unit: RawUnit, personId: number, role: string) => {
    const brought = upTo(3)
    const goneAt = roll() < 0.3 ? brought + upTo(3 - brought) : null
    const entry = {
      programme,
      unitId: unit.id,
      personId,
      role,
      title: null,
      category: roll() < 0.3 ? '研究生支教团' : '全国项目',
      status: roll() < 0.85 ? '在岗' : oneOf(['待派遣', '离岗']),
      startsOn: oneOf([null, '2025-08-01', '2025-12-31', '2026-01-01', '2026-08-01']),
      endsOn: oneOf([null, null, '2025-12-31', '2026-07-31', '2027-07-31']),
      extra: {},
      importId: imports[brought]?.id as number,
      goneImportId: goneAt === null ? null : (imports[goneAt]?.id as number),
    }
    const isTaken = matrix.entries.some(
      each =>
        each.unitId === unit.id &&
        each.personId === personId &&
        each.role === role &&
        each.startsOn === entry.startsOn &&
        each.goneImportId === null &&
        entry.goneImportId === null,
    )
    if (isTaken) return
    const [row] = await db.insert(rosterEntries).values(entry).returning({ id: rosterEntries.id })
    matrix.entries.push({ ...entry, id: row?.id as number })
  }
  const holds = async (unit: RawUnit, personId: number, role: string) => {
    const startedAt = oneOf(['2025-07-15', '2026-03-10']).concat('T10:00:00+08:00')
    const held = {
      personId,
      unitId: unit.id,
      role,
      title: roll() < 0.5 ? oneOf(['主任', '处长']) : null,
      startedAt: new Date(startedAt),
      endedAt: roll() < 0.25 ? day('2026-05-05') : null,
    }
    if (
      matrix.roles.some(each => each.personId === personId && each.unitId === unit.id && each.role === role)
    )
      return
    await db.insert(roles).values(held)
    matrix.roles.push(held)
  }

  const branches = matrix.units.filter(unit => unit.kind === 'volunteer-branch')
  for (const unit of matrix.units) {
    const level = levels.indexOf(unit.level)
    if (roll() < 0.12) continue // a unit without data
    for (let left = upTo(2); left > 0; left -= 1) {
      const id = await person()
      if (unit.level !== 'school' && unit.level !== 'branch') {
        await holds(unit, id, officer)
        if (roll() < 0.5) await enters(unit, id, officer)
      }
    }
    if (unit.kind === 'volunteer-branch')
      for (let left = upTo(6); left > 0; left -= 1) {
        const id = await person()
        const role = roll() < 0.3 ? 'branch-secretary' : 'volunteer'
        await enters(unit, id, role)
        if (roll() < 0.3) await enters(unit, id, role)
        // somebody who comes to another branch
        if (roll() < 0.2) await enters(oneOf(branches), id, 'volunteer')
        if (roll() < 0.5) await holds(unit, id, role)
      }
    for (const kind of groupKinds[level] ?? [])
      for (let left = upTo(2); left > 0; left -= 1) {
        const createdAt = oneOf([day('2025-06-02'), day('2025-11-01'), NEW_YEAR, day('2026-04-01')])
        const made = {
          programme,
          kind,
          // one that was moved to another unit of the level since
          unitId: roll() < 0.1 ? oneOf(matrix.units.filter(each => each.level === unit.level)).id : unit.id,
          name: `${unit.name}的群${matrix.groups.length}`,
          platform: 'wechat',
          ownerId: roll() < 0.8 && matrix.people.length > 0 ? oneOf(matrix.people).id : null,
          capacity: 500,
          size: upTo(200),
          createdAt,
          dissolvedAt:
            roll() < 0.35 ? oneOf([day('2025-12-30'), NEW_YEAR, day('2026-01-01'), day('2026-06-01')]) : null,
        }
        const [row] = await db.insert(groups).values(made).returning({ id: groups.id })
        matrix.groups.push({ ...made, id: row?.id as number })
      }
  }
  return matrix
}
