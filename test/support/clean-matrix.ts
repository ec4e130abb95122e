import { eq, sql } from 'drizzle-orm'
import { pino } from 'pino'
import type { Db } from '../../db/client.ts'
import { insertPersons } from '../../db/queries/persons.ts'
import {
  contacts,
  groupMembers,
  groups,
  identities,
  persons,
  roles,
  rosterEntries,
  rosterImports,
  units,
} from '../../db/schema/index.ts'
import { movableClock } from '../../server/clock.ts'
import { nameKey, soundKey } from '../../server/domain/names/name-key.ts'
import type { DomainRuntime } from '../../server/runtime.ts'
import { randomDataKey } from '../../server/start.ts'
import { loadTemplates } from '../../server/templates.ts'
import { createVault } from '../../server/vault.ts'

export const TODAY = '2026-09-07'

/** A domain with a database and a clock, and nothing that sends. */
export function domainOn(db: Db, start = `${TODAY}T09:00:00+08:00`) {
  const clock = movableClock(new Date(start))
  const rt: DomainRuntime = {
    db,
    clock,
    vault: createVault(randomDataKey()),
    templates: loadTemplates(),
    log: pino({ level: 'silent' }),
    publicUrl: 'https://qunzhen.example.cn',
  }
  return { rt, clock }
}

interface Term {
  category?: string
  university?: string
  startsOn?: string
  endsOn?: string
  status?: string
  extra?: Record<string, string>
}

/** Writes units, people and groups row by row, by name: names are unique here unless a test wants twins. */
export class World {
  readonly db: Db
  readonly at: Date
  #units = new Map<string, { id: number; programme: string; path: string }>()
  #importId = 0

  constructor(db: Db, at: Date) {
    this.db = db
    this.at = at
  }

  /** The same world seen through a transaction. */
  within(db: Db): World {
    const world = new World(db, this.at)
    world.#units = new Map(this.#units)
    world.#importId = this.#importId
    return world
  }

  unitId(name: string): number {
    const unit = this.#units.get(name)
    if (!unit) throw new Error(`no unit ${name}`)
    return unit.id
  }

  async unit(programme: string, name: string, kind: string, level: string, parent: string | null) {
    const above = parent === null ? null : (this.#units.get(parent) ?? null)
    const [row] = await this.db
      .insert(units)
      .values({
        programme,
        code: name,
        name: name.replace(/^.*:/, ''),
        kind,
        level,
        parentId: above?.id ?? null,
        path: '',
        createdAt: this.at,
      })
      .returning({ id: units.id })
    const id = row?.id as number
    const path = `${above?.path ?? '/'}${id}/`
    await this.db.update(units).set({ path }).where(eq(units.id, id))
    this.#units.set(name, { id, programme, path })
  }

  async person(name: string): Promise<number> {
    const [id] = await insertPersons(this.db, [
      { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: this.at },
    ])
    return id as number
  }

  /** Somebody on the roster of a unit with a role that stands. @param who a new person's name, or an id */
  async serves(who: string | number, unit: string, role: string, term: Term = {}): Promise<number> {
    const place = this.#units.get(unit)
    if (!place) throw new Error(`no unit ${unit}`)
    const personId = typeof who === 'number' ? who : await this.person(who)
    await this.db
      .insert(roles)
      .values({ personId, unitId: place.id, role, title: null, startedAt: this.at })
      .onConflictDoNothing()
    if (this.#importId === 0) {
      const [made] = await this.db
        .insert(rosterImports)
        .values({
          fileName: 'x.csv',
          fileHash: 'x',
          appliedBy: 'test',
          appliedAt: this.at,
          newCount: 0,
          changedCount: 0,
          goneCount: 0,
        })
        .returning({ id: rosterImports.id })
      this.#importId = made?.id as number
    }
    await this.db.insert(rosterEntries).values({
      programme: place.programme,
      unitId: place.id,
      personId,
      role,
      category: term.category ?? null,
      university: term.university ?? null,
      startsOn: term.startsOn ?? null,
      endsOn: term.endsOn ?? null,
      status: term.status ?? '在岗',
      extra: term.extra ?? {},
      importId: this.#importId,
    })
    return personId
  }

  /** A group in use whose members have been read, with these in it. */
  async group(
    unit: string,
    kind: string,
    name: string,
    owner: number,
    members: readonly number[],
    platform: 'wechat' | 'customer' = 'wechat',
  ): Promise<number> {
    const place = this.#units.get(unit)
    if (!place) throw new Error(`no unit ${unit}`)
    const all = [...new Set([owner, ...members])]
    const [row] = await this.db
      .insert(groups)
      .values({
        programme: place.programme,
        kind,
        unitId: place.id,
        name,
        platform,
        ownerId: owner,
        chatId: platform === 'customer' ? `chat-${name}` : null,
        capacity: 500,
        size: all.length,
        membersReadAt: this.at,
        membersReadBy: platform === 'customer' ? 'platform' : 'pasted',
        createdAt: this.at,
      })
      .returning({ id: groups.id })
    const groupId = row?.id as number
    if (all.length > 0)
      await this.db.insert(groupMembers).values(
        all.map(personId => ({
          groupId,
          personId,
          address: platform === 'customer' ? `wm-${personId}` : null,
          knownBy: platform === 'customer' ? 'join_pass' : 'nickname',
          joinedAt: this.at,
        })),
      )
    return groupId
  }

  async joins(personId: number, groupName: string): Promise<void> {
    await this.db.execute(sql`
      insert into group_members (group_id, person_id, known_by, joined_at)
      select id, ${personId}, 'nickname', ${this.at.toISOString()} from groups where name = ${groupName}`)
  }

  async contact(personId: number, office: string, branch: string): Promise<void> {
    await this.db.insert(contacts).values({
      personId,
      officeId: this.unitId(office),
      unitId: this.unitId(branch),
      sinceOn: '2026-01-01',
      assignedBy: personId,
    })
  }

  async follows(...personIds: number[]): Promise<void> {
    for (const personId of personIds)
      await this.db.insert(identities).values({
        channel: 'official-account',
        address: `o-${personId}`,
        personId,
        boundAt: this.at,
        boundBy: 'code',
        createdAt: this.at,
      })
  }

  async managedBy(unit: string, personId: number): Promise<void> {
    await this.db
      .update(units)
      .set({ managerId: personId })
      .where(eq(units.id, this.unitId(unit)))
  }

  async idOf(name: string): Promise<number> {
    const rows = await this.db.select({ id: persons.id }).from(persons).where(eq(persons.name, name))
    if (rows.length !== 1) throw new Error(`${rows.length} persons are called ${name}`)
    return rows[0]?.id as number
  }
}

/** Three programmes in which everything is as the notices have it (`../shared/domain.md`, Levels, groups, members, owners). */
export async function cleanMatrix(db: Db, at: Date): Promise<World> {
  const world = new World(db, at)
  await xibu(world)
  await shaoxiandui(world)
  await qingnong(world)
  return world
}

async function xibu(w: World): Promise<void> {
  await w.unit('xibu', '全国办', 'national-office', 'national', null)
  await w.unit('xibu', '陕西', 'province-office', 'province', '全国办')
  await w.unit('xibu', '榆林', 'city-office', 'city', '陕西')
  await w.unit('xibu', '榆阳', 'county-office', 'county', '榆林')
  await w.unit('xibu', '一支部', 'volunteer-branch', 'branch', '榆阳')
  await w.unit('xibu', '二支部', 'volunteer-branch', 'branch', '榆阳')
  await w.unit('xibu', '山东科技大学校项目办', 'university-office', 'university', '陕西')
  const national = [
    await w.serves('全国甲', '全国办', 'in-charge'),
    await w.serves('全国乙', '全国办', 'staff'),
  ]
  const centre = await w.serves('指导中心', '全国办', 'guidance-centre-head')
  await w.serves('全国专人', '全国办', 'matrix-manager')
  const province = [
    await w.serves('陕甲', '陕西', 'in-charge'),
    await w.serves('陕乙', '陕西', 'in-charge'),
    await w.serves('陕丙', '陕西', 'staff'),
  ]
  const provinceLeague = await w.serves('团省委', '陕西', 'league-leader')
  await w.managedBy('陕西', province[2] as number)
  const city = [await w.serves('榆甲', '榆林', 'in-charge'), await w.serves('榆乙', '榆林', 'in-charge')]
  const cityLeague = await w.serves('团市委', '榆林', 'league-leader')
  await w.managedBy('榆林', city[1] as number)
  const inCharge = [await w.serves('县甲', '榆阳', 'in-charge'), await w.serves('县乙', '榆阳', 'in-charge')]
  const county = [...inCharge, await w.serves('县丙', '榆阳', 'staff')]
  const countyLeague = await w.serves('团县委', '榆阳', 'league-leader')
  await w.serves('县专人', '榆阳', 'matrix-manager')
  const university = await w.serves('高校团委', '山东科技大学校项目办', 'university-league-head')
  const term = { category: '全国项目', startsOn: '2026-08-01', endsOn: '2027-07-31' }
  const first = [
    await w.serves('一书记', '一支部', 'branch-secretary', term),
    await w.serves('一副书记', '一支部', 'branch-deputy-secretary', term),
    await w.serves('王志愿', '一支部', 'volunteer', term),
    // twins of one name
    await w.serves('张伟', '一支部', 'volunteer', term),
    await w.serves('张伟', '一支部', 'volunteer', term),
    // whose last day is today
    await w.serves('末日', '一支部', 'volunteer', { category: '全国项目', endsOn: TODAY }),
  ]
  const graduate = await w.serves('研支', '一支部', 'volunteer', {
    ...term,
    category: '研究生支教团',
    university: '山东科技大学',
  })
  const extended = await w.serves('延期', '二支部', 'volunteer', {
    category: '全国项目',
    startsOn: '2025-08-01',
    endsOn: '2026-07-31',
    status: '离岗',
  })
  await w.serves(extended, '二支部', 'volunteer', { ...term, category: '延期' })
  const second = [
    await w.serves('二书记', '二支部', 'branch-secretary', term),
    await w.serves('二委员', '二支部', 'branch-committee-member', term),
    extended,
  ]
  // who is to come and who has gone are on the roster, hold no role any more or not yet, and belong nowhere
  for (const [name, status] of [
    ['待派遣的', '待派遣'],
    ['离岗的', '离岗'],
  ] as const) {
    const personId = await w.serves(name, '一支部', 'volunteer', { status })
    await w.db.execute(sql`update roles set ended_at = now() where person_id = ${personId}`)
  }
  for (const personId of [...national]) await w.contact(personId, '全国办', '一支部')
  for (const personId of province) await w.contact(personId, '陕西', '二支部')
  for (const personId of city) await w.contact(personId, '榆林', '一支部')
  await w.group('全国办', 'national-work', '全国工作群', national[0] as number, [
    ...national,
    centre,
    province[0] as number,
    province[1] as number,
  ])
  await w.group('陕西', 'province-work', '陕西工作群', province[0] as number, [
    ...province,
    provinceLeague,
    ...city,
  ])
  await w.group('榆林', 'city-work', '榆林工作群', city[0] as number, [...city, cityLeague, ...inCharge])
  await w.group(
    '一支部',
    'branch',
    '一支部群',
    first[0] as number,
    [...first, graduate, countyLeague, ...county, ...national, ...city],
    'customer',
  )
  await w.group('二支部', 'branch', '二支部群', second[0] as number, [
    ...second,
    countyLeague,
    ...county,
    ...province,
  ])
  await w.group('榆阳', 'graduate-teaching', '研支团群', countyLeague, [graduate, university])
}

async function shaoxiandui(w: World): Promise<void> {
  await w.unit('shaoxiandui', '少:全国少工委办', 'national-office', 'national', null)
  await w.unit('shaoxiandui', '少:陕西', 'province-committee', 'province', '少:全国少工委办')
  await w.unit('shaoxiandui', '少:榆林', 'city-committee', 'city', '少:陕西')
  await w.unit('shaoxiandui', '少:榆阳', 'county-committee', 'county', '少:榆林')
  await w.unit('shaoxiandui', '一小', 'school', 'school', '少:榆阳')
  await w.unit('shaoxiandui', '二小', 'school', 'school', '少:榆阳')
  const N = '少:全国少工委办'
  const office = [
    await w.serves('少全甲', N, 'office-comrade'),
    await w.serves('少全乙', N, 'office-comrade'),
  ]
  await w.managedBy(N, office[1] as number)
  const press = await w.serves('队报', N, 'press-head')
  const nationalMember = await w.serves('全国委员', N, 'committee-member')
  const P = '少:陕西'
  const provinceHead = await w.serves('省少年部长', P, 'youth-department-head')
  const provinceOffice = await w.serves('省少工委', P, 'office-comrade')
  const provinceDeputy = await w.serves('省副书记', P, 'league-deputy-secretary')
  const director = await w.serves('省主任', P, 'committee-director')
  const provinceChief = await w.serves('省总辅', P, 'chief-counsellor')
  const liaison = await w.serves('省联络员', P, 'publicity-liaison')
  const provinceMember = await w.serves('省委员', P, 'committee-member')
  const provinceTeacher = await w.serves('省名师', P, 'studio-teacher')
  await w.serves('省专人', P, 'matrix-manager')
  const C = '少:榆林'
  const cityHead = await w.serves('市少年部长', C, 'youth-department-head')
  const cityDeputy = await w.serves('市副书记', C, 'league-deputy-secretary')
  const cityChief = await w.serves('市总辅', C, 'chief-counsellor')
  const cityOffice = await w.serves('市少工委', C, 'office-comrade')
  const cityTeacher = await w.serves('市名师', C, 'studio-teacher')
  await w.managedBy(C, cityOffice)
  const K = '少:榆阳'
  const countyOffice = await w.serves('县少工委', K, 'office-comrade')
  const pioneer = await w.serves('县少先队', K, 'young-pioneer-officer')
  const countyChief = await w.serves('县总辅', K, 'chief-counsellor')
  await w.managedBy(K, countyOffice)
  const schools: number[] = []
  for (const school of ['一小', '二小']) {
    schools.push(await w.serves(`${school}大队`, school, 'brigade-counsellor'))
    for (const which of school === '一小' ? ['甲', '乙'] : ['甲', '乙', '丙'])
      schools.push(await w.serves(`${school}中队${which}`, school, 'core-squadron-counsellor'))
  }
  const leader = await w.serves('一小校长', '一小', 'school-leader')
  await w.follows(provinceHead, provinceDeputy, cityHead, cityDeputy, pioneer, ...schools)
  const [owner] = office as [number]
  await w.group(N, 'province-department-heads', '省级部长群', owner, [...office, provinceHead])
  await w.group(N, 'province-leaders', '省级负责群', owner, [...office, provinceDeputy, director])
  await w.group(N, 'province-chief-counsellors', '省级总辅群', owner, [...office, provinceChief])
  await w.group(N, 'news-express', '队情快递群', owner, [...office, press, liaison])
  await w.group(N, 'national-committee', '全国委员群', owner, [...office, nationalMember])
  // the chief counsellors of the cities have no group of their own: it is merged into this one
  await w.group(P, 'city-department-heads', '地市部长群', provinceOffice, [
    provinceOffice,
    provinceHead,
    cityHead,
    cityChief,
  ])
  await w.group(P, 'city-leaders', '地市负责群', provinceHead, [provinceOffice, provinceHead, cityDeputy])
  await w.group(P, 'province-committee', '省委员群', provinceOffice, [provinceHead, provinceMember])
  await w.group(P, 'province-studio', '省名师群', provinceOffice, [provinceHead, provinceTeacher])
  await w.group(C, 'county-leaders', '县级负责群', cityOffice, [cityOffice, cityHead, pioneer, countyChief])
  await w.group(C, 'city-studio', '市名师群', cityOffice, [cityHead, cityTeacher])
  await w.group(
    K,
    'brigade-counsellors',
    '大队辅导员群',
    countyOffice,
    [countyOffice, ...schools],
    'customer',
  )
  await w.group(K, 'school-leaders', '校长书记群', countyOffice, [leader])
  // a free exchange group has whom the unit names
  await w.group(K, 'exchange', '理论交流群', countyOffice, [cityTeacher, leader])
}

async function qingnong(w: World): Promise<void> {
  await w.unit('qingnong', '农:榆林', 'city-committee', 'city', null)
  await w.unit('qingnong', '农:榆阳', 'county-committee', 'county', '农:榆林')
  await w.unit('qingnong', '镇川镇', 'township-committee', 'township', '农:榆阳')
  await w.unit('qingnong', '羊圈村', 'village-organisation', 'village', '镇川镇')
  await w.unit('qingnong', '中学团委', 'direct-organisation', 'village', '镇川镇')
  // one person in two programmes
  const cityOfficer = await w.serves(await w.idOf('榆甲'), '农:榆林', 'rural-officer')
  const countyOfficer = await w.serves('农县书', '农:榆阳', 'rural-officer')
  const township = [
    await w.serves('镇书记', '镇川镇', 'committee-member'),
    await w.serves('镇委员', '镇川镇', 'committee-member'),
  ]
  const village = await w.serves('村书记', '羊圈村', 'organisation-head')
  const direct = await w.serves('校团委', '中学团委', 'organisation-head')
  const leader = await w.serves('带头人', '羊圈村', 'income-leader')
  await w.serves('没进群的带头人', '镇川镇', 'income-leader')
  await w.group('农:榆林', 'city-cadres', '青农榆林', cityOfficer, [countyOfficer])
  await w.group('农:榆阳', 'county-cadres', '青农榆阳', countyOfficer, township)
  await w.group('镇川镇', 'township-cadres', '镇川干部群', township[0] as number, [
    ...township,
    village,
    direct,
    leader,
  ])
  const youth = await w.person('羊倌')
  for (let number = 1; number <= 8; number++)
    await w.group('镇川镇', 'youth', `镇川青年${number}群`, township[0] as number, [youth])
  await w.group('羊圈村', 'youth', '羊圈青年群', village, [youth])
  await w.group('中学团委', 'youth', '中学青年群', direct, [])
}
