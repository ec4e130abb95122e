import { sql } from 'drizzle-orm'
import { TODAY, type World } from './clean-matrix.ts'

/** What a check must say of a planted fault: the kind, the group or unit, and the person or account where it is about one. */
export type Expected = readonly [kind: string, place: string, who?: string]

export interface Fault {
  name: string
  /** Damages the matrix; says what must be found, and nothing else. */
  plant(world: World): Promise<Expected[]>
}

const yesterday = '2026-09-06'

async function leaves(w: World, name: string, group: string): Promise<void> {
  await w.db.execute(sql`
    update group_members set left_at = ${w.at.toISOString()} from persons p, groups g
    where p.id = person_id and g.id = group_id and p.name = ${name} and g.name = ${group}`)
}

async function setGroup(w: World, name: string, change: ReturnType<typeof sql>): Promise<void> {
  await w.db.execute(sql`update groups set ${change} where name = ${name}`)
}

async function endRole(w: World, name: string, role: string): Promise<void> {
  await w.db.execute(sql`
    update roles set ended_at = ${w.at.toISOString()} from persons p
    where p.id = person_id and p.name = ${name} and role = ${role} and ended_at is null`)
  await w.db.execute(sql`
    update roster_entries set status = '离岗' from persons p
    where p.id = person_id and p.name = ${name} and role = ${role}`)
}

const missing = (name: string, group: string, kind = 'invite_member'): Fault => ({
  name: `${name} is not in ${group}`,
  async plant(w) {
    await leaves(w, name, group)
    return [[kind, group, name]]
  },
})

const extra = (group: string): Fault => ({
  name: `somebody who does not belong in ${group}`,
  async plant(w) {
    await w.joins(await w.person('外人'), group)
    return [['remove_member', group, '外人']]
  },
})

const ownerless = (group: string): Fault => ({
  name: `${group} has no owner`,
  async plant(w) {
    await setGroup(w, group, sql`owner_id = null`)
    return [['owner_missing', group]]
  },
})

const dissolved = (group: string, unit: string, ...besides: Expected[]): Fault => ({
  name: `${group} is no more`,
  async plant(w) {
    await setGroup(w, group, sql`dissolved_at = ${w.at.toISOString()}`)
    return [['group_missing', unit], ...besides]
  },
})

/** Faults of every kind that the reconcile knows, in all three programmes. */
export const faults: readonly Fault[] = [
  missing('王志愿', '一支部群'),
  missing('末日', '一支部群'),
  missing('延期', '二支部群'),
  missing('县乙', '榆林工作群'),
  missing('指导中心', '全国工作群'),
  missing('研支', '研支团群'),
  missing('高校团委', '研支团群'),
  missing('团县委', '二支部群'),
  missing('省少年部长', '省级部长群'),
  missing('县总辅', '县级负责群'),
  missing('一小大队', '大队辅导员群'),
  missing('二小中队甲', '大队辅导员群'),
  missing('镇委员', '青农榆阳'),
  missing('校团委', '镇川干部群'),
  missing('全国乙', '一支部群', 'contact_absent'),
  missing('陕丙', '二支部群', 'contact_absent'),
  extra('一支部群'),
  extra('省级部长群'),
  extra('青农榆林'),
  extra('研支团群'),
  {
    name: 'one of two twins is not in the group',
    async plant(w) {
      await w.db.execute(sql`
        update group_members set left_at = now() where id = (
          select max(m.id) from group_members m join persons p on p.id = m.person_id where p.name = '张伟')`)
      return [['invite_member', '一支部群', '张伟']]
    },
  },
  {
    name: 'a volunteer whose service ended yesterday is still there',
    async plant(w) {
      await w.db.execute(
        sql`update roster_entries set ends_on = ${yesterday}::date where ends_on = ${TODAY}::date`,
      )
      return [['remove_member', '一支部群', '末日']]
    },
  },
  {
    name: 'somebody of the next branch is in the group',
    async plant(w) {
      await w.joins(await w.idOf('二委员'), '一支部群')
      return [['remove_member', '一支部群', '二委员']]
    },
  },
  {
    name: 'an account that nobody knows, and a name in a pasted list',
    async plant(w) {
      await w.db.execute(sql`
        insert into group_members (group_id, address, nickname, joined_at)
        select id, 'wm-x', '卖保险的', now() from groups where name = '大队辅导员群'`)
      await w.db.execute(sql`
        insert into group_members (group_id, nickname, joined_at)
        select id, '陌生人', now() from groups where name = '青农榆阳'`)
      return [
        ['identify_member', '大队辅导员群', 'wm-x'],
        ['identify_member', '青农榆阳', '陌生人'],
      ]
    },
  },
  {
    name: 'a stranger in a free exchange group',
    async plant(w) {
      await w.db.execute(sql`
        insert into group_members (group_id, nickname, joined_at)
        select id, '谁呀', now() from groups where name = '理论交流群'`)
      return [['identify_member', '理论交流群', '谁呀']]
    },
  },
  ownerless('二支部群'),
  ownerless('队情快递群'),
  ownerless('羊圈青年群'),
  {
    name: 'an owner who has left the roster',
    async plant(w) {
      await endRole(w, '二书记', 'branch-secretary')
      return [['owner_left', '二支部群', '二书记']]
    },
  },
  {
    name: 'an owner whose service ended yesterday',
    async plant(w) {
      await w.db.execute(sql`
        update roster_entries set ends_on = ${yesterday}::date from persons p where p.id = person_id and p.name = '一书记'`)
      return [['owner_left', '一支部群', '一书记']]
    },
  },
  {
    name: 'a volunteer owns the group of the branch, an officer above that of the village',
    async plant(w) {
      await setGroup(w, '一支部群', sql`owner_id = ${await w.idOf('王志愿')}`)
      await setGroup(w, '羊圈青年群', sql`owner_id = ${await w.idOf('农县书')}`)
      return [
        ['owner_wrong', '一支部群', '王志愿'],
        ['owner_wrong', '羊圈青年群', '农县书'],
      ]
    },
  },
  {
    name: 'a person in charge of the county owns the group of the 研支团 instead of the 团委 leader',
    async plant(w) {
      await setGroup(w, '研支团群', sql`owner_id = ${await w.idOf('县甲')}`)
      return [['owner_wrong', '研支团群', '县甲']]
    },
  },
  {
    name: 'more members than the group holds',
    async plant(w) {
      await setGroup(w, '大队辅导员群', sql`capacity = size - 1`)
      return [['over_capacity', '大队辅导员群']]
    },
  },
  {
    name: 'a full group that somebody cannot get into',
    async plant(w) {
      await leaves(w, '研支', '研支团群')
      await setGroup(w, '研支团群', sql`capacity = size`)
      return [
        ['invite_member', '研支团群', '研支'],
        ['over_capacity', '研支团群'],
      ]
    },
  },
  {
    name: 'a branch of more than 30',
    async plant(w) {
      for (let count = 0; count < 30; count++)
        await w.joins(await w.serves(`新来${count}`, '二支部', 'volunteer'), '二支部群')
      return [['branch_too_big', '二支部']]
    },
  },
  {
    name: 'a county with one person in charge instead of two',
    async plant(w) {
      await endRole(w, '县乙', 'in-charge')
      for (const group of ['榆林工作群', '一支部群', '二支部群']) await leaves(w, '县乙', group)
      return [['too_few_holders', '榆阳']]
    },
  },
  {
    name: 'three persons in charge of one county in the group of the city',
    async plant(w) {
      const third = await w.serves('县丁', '榆阳', 'in-charge')
      for (const group of ['榆林工作群', '一支部群', '二支部群']) await w.joins(third, group)
      return [['too_many_in_group', '榆林工作群']]
    },
  },
  {
    name: 'of three persons in charge only one is in the group of the city',
    async plant(w) {
      const third = await w.serves('县丁', '榆阳', 'in-charge')
      for (const group of ['一支部群', '二支部群']) await w.joins(third, group)
      await leaves(w, '县乙', '榆林工作群')
      return [['too_few_in_group', '榆林工作群']]
    },
  },
  {
    name: 'a fourth core counsellor of one school',
    async plant(w) {
      const fourth = await w.serves('二小中队丁', '二小', 'core-squadron-counsellor')
      await w.joins(fourth, '大队辅导员群')
      await w.follows(fourth)
      return [['too_many_in_group', '大队辅导员群']]
    },
  },
  {
    name: 'a school with one core counsellor, another without 大队辅导员',
    async plant(w) {
      await endRole(w, '一小中队乙', 'core-squadron-counsellor')
      await leaves(w, '一小中队乙', '大队辅导员群')
      await endRole(w, '二小大队', 'brigade-counsellor')
      await leaves(w, '二小大队', '大队辅导员群')
      return [
        ['too_few_holders', '一小'],
        ['too_few_holders', '二小'],
      ]
    },
  },
  {
    name: 'no 团委 leader of the county',
    async plant(w) {
      await endRole(w, '团县委', 'league-leader')
      for (const group of ['一支部群', '二支部群']) await leaves(w, '团县委', group)
      return [
        ['too_few_holders', '榆阳'],
        ['owner_left', '研支团群', '团县委'],
      ]
    },
  },
  {
    name: 'no 少年部 head of the city',
    async plant(w) {
      await endRole(w, '市少年部长', 'youth-department-head')
      for (const group of ['地市部长群', '县级负责群', '市名师群']) await leaves(w, '市少年部长', group)
      return [['too_few_holders', '榆林']]
    },
  },
  {
    name: 'a university that sent volunteers has nobody of its 团委 on the roster',
    async plant(w) {
      await endRole(w, '高校团委', 'university-league-head')
      await leaves(w, '高校团委', '研支团群')
      return [['too_few_holders', '山东科技大学校项目办']]
    },
  },
  {
    name: 'an officer without a branch',
    async plant(w) {
      await w.db.execute(sql`
        update contacts set until_on = ${yesterday}::date from persons p where p.id = person_id and p.name = '榆乙'`)
      await leaves(w, '榆乙', '一支部群')
      return [['contact_missing', '榆林', '榆乙']]
    },
  },
  {
    name: 'groups with names that break the rule',
    async plant(w) {
      await setGroup(w, '青农榆阳', sql`name = '榆阳青农交流'`)
      await setGroup(w, '青农榆林', sql`name = '青农1'`)
      return [
        ['name_rule', '榆阳青农交流'],
        ['name_rule', '青农1'],
      ]
    },
  },
  {
    name: 'units without 专人',
    async plant(w) {
      await endRole(w, '县专人', 'matrix-manager')
      await w.db.execute(sql`update units set manager_id = null where id = ${w.unitId('榆林')}`)
      await endRole(w, '省专人', 'matrix-manager')
      return [
        ['manager_missing', '榆阳'],
        ['manager_missing', '榆林'],
        ['manager_missing', '陕西'],
      ]
    },
  },
  {
    name: '专人 who has left the roster',
    async plant(w) {
      await endRole(w, '县少工委', 'office-comrade')
      const owned = ['大队辅导员群', '校长书记群', '理论交流群']
      return [
        ['manager_missing', '榆阳'],
        ...owned.map((group): Expected => ['owner_left', group, '县少工委']),
      ]
    },
  },
  dissolved('榆林工作群', '榆林'),
  dissolved('一支部群', '一支部'),
  dissolved('研支团群', '榆阳'),
  dissolved('县级负责群', '榆林'),
  dissolved('青农榆阳', '榆阳'),
  // it was one of the ten of its township
  dissolved('羊圈青年群', '羊圈村', ['too_few_groups', '镇川镇']),
  {
    name: 'a township with nine 团青群',
    async plant(w) {
      await setGroup(w, '镇川青年8群', sql`dissolved_at = ${w.at.toISOString()}`)
      return [['too_few_groups', '镇川镇']]
    },
  },
  {
    name: 'a counsellor and a head who do not follow the account',
    async plant(w) {
      await w.db.execute(sql`
        update identities set is_reachable = false from persons p where p.id = person_id and p.name = '二小大队'`)
      await w.db.execute(sql`
        delete from identities using persons p where p.id = person_id and p.name = '市少年部长'`)
      return [
        ['followers_missing', '榆阳'],
        ['followers_missing', '榆林'],
      ]
    },
  },
  {
    name: 'ordinary groups that nobody has read, or not for long',
    async plant(w) {
      await setGroup(w, '二支部群', sql`members_read_at = null`)
      await setGroup(w, '青农榆林', sql`members_read_at = ${new Date('2026-08-01T00:00:00Z').toISOString()}`)
      return [
        ['members_unread', '二支部群'],
        ['members_unread', '青农榆林'],
      ]
    },
  },
]

/** What is as it may be, though it looks like a fault. */
export const noFaults: readonly Fault[] = [
  {
    name: 'nobody is missing from a group that nobody has read',
    async plant(w) {
      await setGroup(w, '二支部群', sql`members_read_at = null`)
      await leaves(w, '二委员', '二支部群')
      return [['members_unread', '二支部群']]
    },
  },
  {
    name: 'a third person in charge who is in the groups of the branches only',
    async plant(w) {
      const third = await w.serves('县丁', '榆阳', 'in-charge')
      for (const group of ['一支部群', '二支部群']) await w.joins(third, group)
      return []
    },
  },
  {
    name: 'a second group of the kind that takes those for whom there is no room',
    async plant(w) {
      await leaves(w, '一小大队', '大队辅导员群')
      await w.group('少:榆阳', 'brigade-counsellors', '大队辅导员二群', await w.idOf('县少工委'), [
        await w.idOf('一小大队'),
      ])
      return []
    },
  },
  {
    name: 'a county without 研支团 members and without a group for them',
    async plant(w) {
      await setGroup(w, '研支团群', sql`dissolved_at = ${w.at.toISOString()}`)
      await w.db.execute(sql`update roster_entries set category = '全国项目' where category = '研究生支教团'`)
      return []
    },
  },
  {
    name: 'dissolved groups, whatever was wrong with them',
    async plant(w) {
      await w.group('一支部', 'branch', '旧群', await w.idOf('外省人').catch(() => w.person('外省人')), [])
      await setGroup(w, '旧群', sql`dissolved_at = ${w.at.toISOString()}`)
      return []
    },
  },
  {
    name: 'a group of the chief counsellors besides the one they may share',
    async plant(w) {
      await w.group('少:陕西', 'city-chief-counsellors', '地市总辅群', await w.idOf('省少工委'), [
        await w.idOf('省少年部长'),
        await w.idOf('市总辅'),
      ])
      // they are of another group now
      return [['remove_member', '地市部长群', '市总辅']]
    },
  },
]
