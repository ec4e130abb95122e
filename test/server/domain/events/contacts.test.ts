import { eq, sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { bindIdentity, identityOf } from '../../../../db/queries/identities.ts'
import {
  bindingCodes,
  conversations,
  groupMembers,
  identities,
  joinRequests,
  outgoingMessages,
  registrations,
  roles,
  tasks,
  unclaimedChats,
  units,
} from '../../../../db/schema/index.ts'
import { type Deed, type Ground, openGround } from './ground.ts'

const MINUTE = 60_000
const change = (
  what: 'user_deleted' | 'user_updated',
  id: string,
  newUserId: string | null = null,
): Deed => ({
  kind: 'contact',
  change: what,
  id,
  newUserId,
  details: {},
})

/** What people have been sent, with whom. */
async function news(ground: Ground): Promise<{ personId: number | null; text: string }[]> {
  const rows = await ground.rt.db
    .select()
    .from(outgoingMessages)
    .where(eq(outgoingMessages.status, 'pending'))
  return rows.map(row => ({
    personId: row.personId,
    text: (JSON.parse(ground.rt.vault.open(row.textsSealed)) as string[]).join('\n'),
  }))
}

async function anOfficer(ground: Ground, name: string, unitId = ground.unitId): Promise<number> {
  const personId = await ground.aPerson(name)
  await ground.rt.db
    .insert(roles)
    .values({ personId, unitId, role: 'rural-officer', startedAt: ground.clock.now() })
  return personId
}

describe('a member leaves the corp', () => {
  test('the account is unbound and cannot be written to; said twice, once', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    ground.clock.advance(MINUTE)
    for (let time = 0; time < 2; time++)
      expect(await ground.happens({}, change('user_deleted', 'lin'))).toBe(true)
    expect(await ground.account(id)).toMatchObject({ personId: null, boundBy: null, isReachable: false })
    expect(await ground.audited()).toEqual([
      {
        action: 'identity.unbound',
        subjectKind: 'person',
        subjectId: personId,
        details: { channel: 'wecom', why: 'left_corp', boundBy: 'code' },
      },
    ])
  })

  test('a registration is not kept for whoever gets the userid next', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('张小明')
    const account = { channel: 'wecom', address: 'zhang' } as const
    const id = await ground.anAccount({ ...account, personId, boundBy: 'registration' })
    const groupId = await ground.aGroup()
    await ground.rt.db.insert(registrations).values({
      personId,
      unitId: ground.unitId,
      groupId,
      residence: 'home',
      occupation: 'membersHome.farming',
      registeredAt: ground.clock.now(),
    })
    ground.clock.advance(MINUTE)
    await ground.happens({}, change('user_deleted', 'zhang'))
    ground.clock.advance(MINUTE)
    await ground.happens(account, { kind: 'followed', scene: null, isScan: false })
    expect(await ground.account(id)).toMatchObject({ personId: null, isReachable: true })
  })

  test('those who run the unit are asked for successors, once, in one message each', async () => {
    const ground = await openGround()
    const personId = await anOfficer(ground, '林县书')
    const deputy = await anOfficer(ground, '丁县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    const first = await ground.aGroup({ ownerId: personId, name: '青农榆阳' })
    const second = await ground.aGroup({
      ownerId: personId,
      name: '榆阳电商',
      chatId: null,
      platform: 'wechat',
    })
    await ground.aGroup({
      ownerId: personId,
      name: '散了的群',
      chatId: 'wrX',
      dissolvedAt: ground.clock.now(),
    })
    await ground.aGroup({ ownerId: deputy, name: '别人的群', chatId: 'wrY' })
    ground.clock.advance(MINUTE)
    for (let time = 0; time < 2; time++) await ground.happens({}, change('user_deleted', 'lin'))
    expect(await ground.account(id)).toMatchObject({ personId: null })
    const told = await news(ground)
    expect(told.map(each => each.personId)).toEqual([deputy])
    expect(told[0]?.text).toContain(`青农榆阳（群号 ${first}，客户群）`)
    expect(told[0]?.text).toContain(`榆阳电商（群号 ${second}，微信群）`)
    expect(told[0]?.text).toContain('换群主 群号 姓名')
    expect(told[0]?.text).not.toMatch(/散了的群|别人的群/)
    expect(await ground.alarmed()).toEqual([])
  })

  test('who can still be written to elsewhere keeps the ordinary groups', async () => {
    const ground = await openGround()
    const personId = await anOfficer(ground, '林县书')
    await anOfficer(ground, '丁县书')
    await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    await ground.anAccount({ channel: 'official-account', address: 'o-lin', personId })
    await ground.aGroup({ ownerId: personId, name: '青农榆阳' })
    await ground.aGroup({ ownerId: personId, name: '榆阳电商', chatId: null, platform: 'wechat' })
    ground.clock.advance(MINUTE)
    await ground.happens({}, change('user_deleted', 'lin'))
    const [told] = await news(ground)
    expect(told?.text).toContain('青农榆阳')
    expect(told?.text).not.toContain('榆阳电商')
    expect(await identityOf(ground.rt.db, 'official-account', 'o-lin')).toMatchObject({ personId })
  })

  test('where the unit has nobody else, the unit above is asked', async () => {
    const ground = await openGround()
    const [township] = await ground.rt.db
      .insert(units)
      .values({
        programme: 'qingnong',
        code: '610802101',
        name: '镇川镇',
        kind: 'township-committee',
        level: 'township',
        parentId: ground.unitId,
        path: `/${ground.unitId}/2/`,
        createdAt: ground.clock.now(),
      })
      .returning({ id: units.id })
    const above = await anOfficer(ground, '高县书')
    const personId = await anOfficer(ground, '王镇川', township?.id)
    await ground.rt.db
      .update(units)
      .set({ managerId: personId })
      .where(eq(units.id, township?.id as number))
    await ground.anAccount({ channel: 'wecom', address: 'wang', personId })
    await ground.aGroup({ ownerId: personId, unitId: township?.id as number })
    ground.clock.advance(MINUTE)
    await ground.happens({}, change('user_deleted', 'wang'))
    expect((await news(ground)).map(each => each.personId)).toEqual([above])
  })

  test('where nobody is above either, operators are told, without a name', async () => {
    const ground = await openGround()
    const personId = await anOfficer(ground, '林县书')
    await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    const groupId = await ground.aGroup({ ownerId: personId })
    ground.clock.advance(MINUTE)
    await ground.happens({}, change('user_deleted', 'lin'))
    expect(await news(ground)).toEqual([])
    const alarms = await ground.alarmed()
    expect(alarms).toMatchObject([{ cause: 'group:owner-left', times: 1 }])
    expect(alarms[0]?.words).toContain(`群号：${groupId}`)
    expect(alarms[0]?.words).not.toContain('林县书')
  })

  test('heard of only after they were taken on again and bound anew: nothing', async () => {
    const ground = await openGround()
    const personId = await anOfficer(ground, '林县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    await ground.aGroup({ ownerId: personId })
    const leftAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.writes('wecom', 'lin')
    await bindIdentity(ground.rt.db, id, personId, 'code', ground.clock.now())
    await ground.happens({ at: leftAt }, change('user_deleted', 'lin'))
    expect(await ground.account(id)).toMatchObject({ personId, isReachable: true })
    expect([await news(ground), await ground.alarmed()]).toEqual([[], []])
  })

  test('an Official Account follower of the same id is somebody else', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ channel: 'official-account', address: 'lin', personId })
    await ground.happens({}, change('user_deleted', 'lin'))
    expect(await ground.account(id)).toMatchObject({ personId, isReachable: true })
  })
})

describe('a member’s userid is changed', () => {
  const renamed = change('user_updated', 'lin', 'linxs')

  test('the account, the places in groups, the tasks and unclaimed groups are theirs under the new one', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    const groupId = await ground.aGroup()
    const now = ground.clock.now()
    const former = { groupId, address: 'lin', joinedAt: now }
    await ground.rt.db.insert(groupMembers).values([
      { ...former, leftAt: now },
      { ...former, personId, knownBy: 'binding' },
    ])
    await ground.rt.db.insert(tasks).values({
      kind: 'identify_member',
      groupId,
      address: 'lin',
      why: '认不出是谁',
      dueOn: '2026-09-08',
      createdAt: now,
    })
    await ground.rt.db
      .insert(unclaimedChats)
      .values({ chatId: 'wrB', name: '新群', ownerAddress: 'lin', size: 3, seenAt: now })
    ground.clock.advance(MINUTE)
    const at = ground.clock.now()
    for (let time = 0; time < 2; time++) {
      expect(await ground.happens({ at }, renamed)).toBe(true)
      expect(await ground.account(id)).toMatchObject({ address: 'linxs', personId, boundBy: 'code' })
      expect(await ground.rt.db.select().from(groupMembers).orderBy(groupMembers.id)).toMatchObject([
        { address: 'lin' },
        { address: 'linxs', personId, leftAt: null },
      ])
      expect(await ground.rt.db.select().from(tasks)).toMatchObject([{ address: 'linxs', closedAt: null }])
      expect(await ground.rt.db.select().from(unclaimedChats)).toMatchObject([{ ownerAddress: 'linxs' }])
    }
    expect(await ground.audited()).toEqual([
      {
        action: 'identity.renamed',
        subjectKind: 'identity',
        subjectId: id,
        details: { channel: 'wecom', isMerged: false, at: at.toISOString() },
      },
    ])
  })

  test('who wrote under the new one before has one account after, with all that hung on either', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId, isReachable: false })
    const groupId = await ground.aGroup()
    ground.clock.advance(MINUTE)
    const at = ground.clock.now()
    ground.clock.advance(MINUTE)
    const fresh = await ground.anAccount({ channel: 'wecom', address: 'linxs' })
    const now = ground.clock.now()
    const request = { groupId, textSealed: '', decision: 'referred', reason: '', explanation: '' }
    await ground.rt.db
      .insert(joinRequests)
      .values([id, fresh].map(identityId => ({ ...request, identityId, candidateIds: [], createdAt: now })))
    await ground.aMessage({ identityId: fresh })
    await ground.rt.db.insert(bindingCodes).values({
      codeIndex: 'x',
      personId,
      createdAt: now,
      expiresAt: now,
      usedAt: now,
      usedByIdentity: fresh,
    })
    for (const [identityId, name] of [
      [id, 'old'],
      [fresh, 'new'],
    ] as const)
      await ground.rt.db
        .insert(conversations)
        .values({ identityId, name, version: 1, step: 's', answers: {}, expiresAt: now })
    await ground.happens({ at }, renamed)
    expect(await ground.rt.db.select().from(identities)).toMatchObject([
      { id, address: 'linxs', personId, boundBy: 'code', isReachable: true, lastSeenAt: now },
    ])
    expect(await ground.rt.db.select().from(joinRequests)).toMatchObject([
      { identityId: id },
      { identityId: id },
    ])
    expect(await ground.rt.db.select().from(outgoingMessages)).toMatchObject([{ identityId: id }])
    expect(await ground.rt.db.select().from(bindingCodes)).toMatchObject([{ usedByIdentity: id }])
    expect(await ground.rt.db.select().from(conversations)).toMatchObject([{ identityId: id, name: 'new' }])
    expect(await ground.audited()).toMatchObject([
      { action: 'identity.renamed', details: { isMerged: true } },
    ])
  })

  test('who was bound under the new one since goes on with that binding', async () => {
    const ground = await openGround()
    const persons = { old: await ground.aPerson('林县书'), new: await ground.aPerson('丁县书') }
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId: persons.old })
    ground.clock.advance(MINUTE)
    const at = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.anAccount({ channel: 'wecom', address: 'linxs', personId: persons.new })
    await ground.happens({ at }, renamed)
    expect(await ground.rt.db.select().from(identities)).toMatchObject([
      { id, address: 'linxs', personId: persons.new },
    ])
    expect(await ground.audited()).toMatchObject([
      { action: 'identity.unbound', subjectId: persons.old, details: { why: 'renamed' } },
      { action: 'identity.renamed' },
    ])
  })

  test('a group that has read the new one already keeps one member, who is known', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const groupId = await ground.aGroup()
    const joinedAt = ground.clock.now()
    await ground.rt.db.insert(groupMembers).values([
      { groupId, address: 'lin', personId, knownBy: 'binding', joinedAt },
      { groupId, address: 'linxs', joinedAt },
    ])
    const task = { kind: 'identify_member', groupId, why: '', dueOn: '2026-09-08', createdAt: joinedAt }
    await ground.rt.db.insert(tasks).values([
      { ...task, address: 'lin' },
      { ...task, address: 'linxs' },
    ])
    await ground.happens({}, renamed)
    const members = await ground.rt.db.execute(
      sql`select address, person_id::int, known_by from group_members where left_at is null`,
    )
    expect([...members]).toEqual([{ address: 'linxs', person_id: personId, known_by: 'binding' }])
    expect(await ground.rt.db.select().from(tasks).orderBy(tasks.id)).toMatchObject([
      { address: 'lin', closedBy: 'void' },
      { address: 'linxs', closedAt: null },
    ])
  })

  test('said again when somebody else has got the old userid: they are left alone', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const first = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    const at = ground.clock.now()
    await ground.happens({ at }, renamed)
    ground.clock.advance(MINUTE)
    const other = await ground.aPerson('林新人')
    const second = await ground.anAccount({ channel: 'wecom', address: 'lin', personId: other })
    const groupId = await ground.aGroup()
    await ground.rt.db
      .insert(groupMembers)
      .values({ groupId, address: 'lin', personId: other, joinedAt: ground.clock.now() })
    await ground.happens({ at }, renamed)
    expect(await ground.account(first)).toMatchObject({ address: 'linxs', personId })
    expect(await ground.account(second)).toMatchObject({ address: 'lin', personId: other })
    expect(await ground.rt.db.select().from(groupMembers)).toMatchObject([{ address: 'lin', leftAt: null }])
  })

  test('and changed back, each said again in any order: they keep what is theirs', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin', personId })
    ground.clock.advance(MINUTE)
    const there = ground.clock.now()
    ground.clock.advance(MINUTE)
    const back = ground.clock.now()
    const again = change('user_updated', 'linxs', 'lin')
    for (const [at, deed] of [
      [there, renamed],
      [back, again],
      [there, renamed],
      [back, again],
    ] as const)
      await ground.happens({ at }, deed)
    expect(await ground.account(id)).toMatchObject({ address: 'lin', personId, isReachable: true })
  })

  test.each([
    ['no new userid', change('user_updated', 'lin')],
    ['the same', change('user_updated', 'lin', 'lin')],
    ['an empty one', change('user_updated', 'lin', '')],
  ])('%s: nothing', async (_what, deed) => {
    const ground = await openGround()
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin' })
    await ground.happens({}, deed)
    expect(await ground.account(id)).toMatchObject({ address: 'lin' })
    expect(await ground.audited()).toEqual([])
  })
})

describe('a userid is given away again', () => {
  const toBoss = change('user_updated', 'nobody', 'boss')
  const wecom = { channel: 'wecom' } as const

  /** Somebody who had `boss` long ago, and of whose leaving nobody told us; a member is renamed to it an hour later. */
  async function aFormerBoss() {
    const ground = await openGround()
    const officer = await anOfficer(ground, '高县书')
    const former = await ground.anAccount({ ...wecom, address: 'boss', personId: officer })
    ground.clock.advance(60 * MINUTE)
    return { ground, officer, former, at: ground.clock.now() }
  }

  test.each([
    ['who is bound to nobody', { personId: null }],
    ['who has never written', null],
  ])('by renaming somebody %s: the rights of whoever had it before are gone', async (_who, renamedAs) => {
    const { ground, officer, former, at } = await aFormerBoss()
    const id = renamedAs && (await ground.anAccount({ ...wecom, address: 'nobody', ...renamedAs }))
    const groupId = await ground.aGroup()
    await ground.rt.db
      .insert(groupMembers)
      .values({ groupId, address: 'boss', personId: officer, knownBy: 'binding', joinedAt: at })
    const waiting = await ground.aMessage({ identityId: former })
    await ground.rt.db
      .insert(conversations)
      .values({ identityId: former, name: 'notice', version: 1, step: 's', answers: {}, expiresAt: at })
    for (let time = 0; time < 2; time++) await ground.happens({ at }, toBoss)
    await ground.writes('wecom', 'boss')
    const boss = await identityOf(ground.rt.db, 'wecom', 'boss')
    expect(boss).toMatchObject({ personId: null, boundBy: null, isReachable: true })
    if (id !== null) expect(boss?.id).toBe(id)
    expect(await ground.account(former)).toMatchObject({
      address: `former:${former}`,
      personId: null,
      isReachable: false,
    })
    // neither what was to be said to the former one nor their dialogue goes on with the new one
    expect(await ground.message(waiting)).toMatchObject({ status: 'failed', identityId: former })
    expect(await ground.rt.db.select().from(conversations)).toEqual([])
    expect(await ground.rt.db.select().from(groupMembers)).toMatchObject([{ personId: null, knownBy: null }])
    expect((await ground.audited())[0]).toEqual({
      action: 'identity.unbound',
      subjectKind: 'person',
      subjectId: officer,
      details: { channel: 'wecom', why: 'left_corp', boundBy: 'code' },
    })
  })

  test('the groups of whoever had it before get successors', async () => {
    const { ground, officer, at } = await aFormerBoss()
    const deputy = await anOfficer(ground, '丁县书')
    await ground.aGroup({ ownerId: officer })
    await ground.happens({ at }, toBoss)
    expect((await news(ground)).map(each => each.personId)).toEqual([deputy])
  })

  test('to somebody bound: they keep their own binding under it, and take nothing else', async () => {
    const { ground, officer, at } = await aFormerBoss()
    const personId = await ground.aPerson('丁团员')
    await ground.anAccount({ ...wecom, address: 'nobody', personId, boundBy: 'join_request' })
    await ground.happens({ at }, toBoss)
    expect(await identityOf(ground.rt.db, 'wecom', 'boss')).toMatchObject({
      personId,
      boundBy: 'join_request',
    })
    expect(await ground.audited()).toMatchObject([
      { action: 'identity.unbound', subjectId: officer },
      { action: 'identity.renamed', details: { isMerged: false } },
    ])
  })

  test('and bound by a code before we hear of it: that binding is theirs', async () => {
    const { ground, former, at } = await aFormerBoss()
    ground.clock.advance(MINUTE)
    const personId = await ground.aPerson('丁新任')
    await bindIdentity(ground.rt.db, former, personId, 'code', ground.clock.now())
    await ground.happens({ at }, toBoss)
    expect(await identityOf(ground.rt.db, 'wecom', 'boss')).toMatchObject({ personId, boundBy: 'code' })
  })

  test.each([1, MINUTE])('the old one, bound anew %i ms after the event: that binding stays', async later => {
    const ground = await openGround()
    const id = await ground.anAccount({
      ...wecom,
      address: 'nobody',
      personId: await ground.aPerson('林旧人'),
    })
    ground.clock.advance(60 * MINUTE)
    const at = ground.clock.now()
    ground.clock.advance(later)
    const personId = await ground.aPerson('林新人')
    await bindIdentity(ground.rt.db, id, personId, 'code', ground.clock.now())
    await ground.happens({ at }, toBoss)
    expect(await ground.account(id)).toMatchObject({ address: 'nobody', personId })
    expect(await identityOf(ground.rt.db, 'wecom', 'boss')).toBeNull()
  })

  test('the old one, by another renaming of which we hear first: nobody gets what is not theirs', async () => {
    const ground = await openGround()
    const persons = { first: await ground.aPerson('林甲'), second: await ground.aPerson('林乙') }
    await ground.anAccount({ ...wecom, address: 'lin', personId: persons.first })
    const second = await ground.anAccount({ ...wecom, address: 'other', personId: persons.second })
    ground.clock.advance(MINUTE)
    const firstLeaves = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens({}, change('user_updated', 'other', 'lin'))
    await ground.happens({ at: firstLeaves }, change('user_updated', 'lin', 'linxs'))
    expect(await ground.account(second)).toMatchObject({ address: 'lin', personId: persons.second })
    expect(await identityOf(ground.rt.db, 'wecom', 'linxs')).toBeNull()
  })
})
