import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { bindIdentity } from '../../../../db/queries/identities.ts'
import { groups, registrations, roles } from '../../../../db/schema/index.ts'
import { type Deed, type Ground, openGround } from './ground.ts'

const MINUTE = 60_000
const left: Deed = { kind: 'unfollowed' }
const came: Deed = { kind: 'followed', scene: null, isScan: false }
const wang = { channel: 'official-account', address: 'o-wang' } as const
const unbound = (personId: number, boundBy: string, why = 'unfollowed', channel = 'official-account') => ({
  action: 'identity.unbound',
  subjectKind: 'person',
  subjectId: personId,
  details: { channel, why, boundBy },
})

/** Somebody who registered in an open group by their account. */
async function aRegistered(ground: Ground, account = wang): Promise<{ personId: number; id: number }> {
  const personId = await ground.aPerson('张小明')
  const groupId = await ground.aGroup({ kind: 'county-youth', platform: 'wechat', chatId: null })
  await ground.rt.db.insert(registrations).values({
    personId,
    unitId: ground.unitId,
    groupId,
    residence: 'home',
    occupation: 'membersHome.farming',
    registeredAt: ground.clock.now(),
  })
  return { personId, id: await ground.anAccount({ ...account, personId, boundBy: 'registration' }) }
}

describe('a follower leaves', () => {
  test('the openid is nobody’s, its dialogue and window are gone, roster and log stay', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    await ground.rt.db
      .insert(roles)
      .values({ personId, unitId: ground.unitId, role: 'committee-member', startedAt: ground.clock.now() })
    const id = await ground.anAccount({
      ...wang,
      personId,
      unionId: 'u-wang',
      windowEndsAt: new Date('2026-09-09T09:00:00+08:00'),
      windowLeft: 5,
    })
    await ground.rt.db.execute(sql`insert into conversations (identity_id, name, version, step, answers, expires_at)
      values (${id}, 'join', 1, 'name', '{}', now() + interval '1 day')`)
    ground.clock.advance(MINUTE)
    expect(await ground.happens(wang, left)).toBe(true)
    expect(await ground.account(id)).toMatchObject({
      address: 'o-wang',
      personId: null,
      boundAt: null,
      boundBy: null,
      unionId: null,
      isReachable: false,
      windowEndsAt: null,
      windowLeft: null,
    })
    expect(await ground.rt.db.execute(sql`select 1 from conversations`)).toHaveLength(0)
    expect(await ground.rt.db.select().from(roles)).toMatchObject([{ personId, endedAt: null }])
    expect(await ground.audited()).toEqual([unbound(personId, 'code')])
  })

  test('the audit entry names neither the account nor the person', async () => {
    const ground = await openGround()
    await ground.anAccount({ ...wang, personId: await ground.aPerson('王镇川') })
    await ground.happens(wang, left)
    expect(JSON.stringify(await ground.audited())).not.toMatch(/o-wang|王镇川/)
  })

  test.each([
    ['twice', 0],
    ['and once more a day later', 24 * 60 * MINUTE],
  ])('%s: once', async (_often, later) => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    const id = await ground.anAccount({ ...wang, personId })
    const at = ground.clock.now()
    await ground.happens({ ...wang, at }, left)
    ground.clock.advance(later)
    await ground.happens({ ...wang, at }, left)
    expect(await ground.account(id)).toMatchObject({ personId: null, isReachable: false })
    expect(await ground.audited()).toEqual([unbound(personId, 'code')])
  })

  test('their twin by name keeps the account', async () => {
    const ground = await openGround()
    const id = await ground.anAccount({ ...wang, personId: await ground.aPerson('王镇川') })
    const twinId = await ground.aPerson('王镇川')
    const twin = await ground.anAccount({
      channel: 'official-account',
      address: 'o-wang-2',
      personId: twinId,
    })
    const member = await ground.anAccount({ channel: 'wecom', address: 'o-wang', personId: twinId })
    await ground.happens(wang, left)
    expect(await ground.account(id)).toMatchObject({ personId: null })
    for (const other of [twin, member])
      expect(await ground.account(other)).toMatchObject({ personId: twinId, isReachable: true })
  })

  test('the event comes after they came back and were bound anew: it is too late', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    const id = await ground.anAccount({ ...wang, personId })
    const leftAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens(wang, came)
    await ground.writes(wang.channel, wang.address)
    await bindIdentity(ground.rt.db, id, personId, 'code', ground.clock.now())
    ground.clock.advance(MINUTE)
    await ground.happens({ ...wang, at: leftAt }, left)
    expect(await ground.account(id)).toMatchObject({ personId, boundBy: 'code', isReachable: true })
    expect(await ground.audited()).toEqual([])
  })

  test('the event comes after they came back, but were not bound anew: the old binding goes', async () => {
    const ground = await openGround()
    const id = await ground.anAccount({ ...wang, personId: await ground.aPerson('王镇川') })
    ground.clock.advance(MINUTE)
    const leftAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens(wang, came)
    await ground.happens({ ...wang, at: leftAt }, left)
    expect(await ground.account(id)).toMatchObject({ personId: null, isReachable: true })
  })

  test.each([1, 2, 4, 30])(
    'they leave and follow %i s later, heard of the other way round: they are here',
    async seconds => {
      const ground = await openGround()
      const personId = await ground.aPerson('王镇川')
      const id = await ground.anAccount({ ...wang, personId })
      ground.clock.advance(MINUTE)
      const leftAt = ground.clock.now()
      ground.clock.advance(seconds * 1000)
      await ground.happens(wang, came)
      await ground.writes(wang.channel, wang.address)
      await ground.happens({ ...wang, at: leftAt }, left)
      expect(await ground.account(id)).toMatchObject({ isReachable: true, personId: null })
      // gone for good after that, however soon
      ground.clock.advance(1000)
      await ground.happens(wang, left)
      expect(await ground.account(id)).toMatchObject({ isReachable: false })
    },
  )

  test('they write and leave within a second: they are gone', async () => {
    const ground = await openGround()
    const id = await ground.anAccount(wang)
    const leftAt = ground.clock.now()
    ground.clock.advance(900)
    await ground.writes(wang.channel, wang.address)
    await ground.happens({ ...wang, at: leftAt }, left)
    expect(await ground.account(id)).toMatchObject({ isReachable: false })
  })

  test('they follow and leave, and hear of it the other way round: they are gone, and not greeted', async () => {
    const ground = await openGround()
    const id = await ground.anAccount({ ...wang, isReachable: false })
    const cameAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens(wang, left)
    expect(await ground.happens({ ...wang, at: cameAt }, came)).toBe(true)
    expect(await ground.account(id)).toMatchObject({ isReachable: false })
  })
})

describe('what waits for somebody who leaves', () => {
  test('has failed, with the reason; what is sent, or for others, is not touched', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    const identityId = await ground.anAccount({ ...wang, personId })
    const otherId = await ground.anAccount({ channel: 'official-account', address: 'o-li' })
    const toAccount = await ground.aMessage({ identityId })
    const toPerson = await ground.aMessage({ personId })
    const sent = await ground.aMessage({ identityId, status: 'sent' })
    const others = await ground.aMessage({ identityId: otherId })
    await ground.happens(wang, left)
    for (const id of [toAccount, toPerson])
      expect(await ground.message(id)).toMatchObject({ status: 'failed', error: '对方已取消关注' })
    expect(await ground.message(sent)).toMatchObject({ status: 'sent' })
    expect(await ground.message(others)).toMatchObject({ status: 'waiting' })
  })

  test('goes out by their WeCom account where they have one', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    const identityId = await ground.anAccount({ ...wang, personId })
    await ground.anAccount({ channel: 'wecom', address: 'wang', personId })
    const toPerson = await ground.aMessage({ personId, attempts: 3 })
    const toAccount = await ground.aMessage({ identityId })
    await ground.happens(wang, left)
    expect(await ground.message(toPerson)).toMatchObject({ status: 'pending', attempts: 0, error: null })
    expect(await ground.message(toAccount)).toMatchObject({ status: 'failed' })
  })
})

describe('somebody who registered in an open group leaves and comes back', () => {
  test('unbound in between, then the same person: counted once, with no rights', async () => {
    const ground = await openGround()
    const { personId, id } = await aRegistered(ground)
    ground.clock.advance(MINUTE)
    await ground.happens(wang, left)
    expect(await ground.account(id)).toMatchObject({ personId: null, boundBy: null })
    ground.clock.advance(30 * 24 * 60 * MINUTE)
    expect(await ground.happens(wang, came)).toBe(false)
    expect(await ground.account(id)).toMatchObject({ personId, boundBy: 'registration', isReachable: true })
    expect((await ground.audited()).map(entry => entry.action)).toEqual([
      'identity.unbound',
      'identity.bound',
    ])
    ground.clock.advance(MINUTE)
    for (const deed of [left, came, left, came]) {
      ground.clock.advance(MINUTE)
      await ground.happens(wang, deed)
    }
    expect(await ground.account(id)).toMatchObject({ personId, boundBy: 'registration' })
  })

  test('what is kept meanwhile does not hold the openid, and goes when they are back', async () => {
    const ground = await openGround()
    const { personId } = await aRegistered(ground)
    const kept = async () =>
      JSON.stringify(await ground.rt.db.execute(sql`select * from persons where id = ${personId}`))
    const before = await kept()
    await ground.happens(wang, left)
    expect(await kept()).not.toBe(before)
    expect(await kept()).not.toContain('o-wang')
    await ground.happens(wang, came)
    expect(await kept()).toBe(before)
  })

  test('by whichever account they left last', async () => {
    const ground = await openGround()
    const { personId } = await aRegistered(ground)
    await ground.happens(wang, left)
    const second = { channel: 'official-account', address: 'o-second' } as const
    const id = await ground.anAccount({ ...second, personId })
    ground.clock.advance(MINUTE)
    await ground.happens(second, left)
    await ground.happens(second, came)
    expect(await ground.account(id)).toMatchObject({ personId, boundBy: 'registration' })
  })

  test('another account is not taken for theirs, nor the same id on another platform', async () => {
    const ground = await openGround()
    await aRegistered(ground)
    await ground.happens(wang, left)
    for (const other of [
      { channel: 'official-account', address: 'o-wang2' },
      { channel: 'wecom', address: 'o-wang' },
    ] as const) {
      const id = await ground.anAccount(other)
      await ground.happens(other, came)
      expect(await ground.account(id)).toMatchObject({ personId: null })
    }
  })

  test.each([
    [
      'an office',
      (ground: Ground, personId: number) =>
        ground.rt.db.insert(roles).values({
          personId,
          unitId: ground.unitId,
          role: 'committee-member',
          startedAt: ground.clock.now(),
        }),
    ],
    ['a group', (ground: Ground, personId: number) => ground.rt.db.update(groups).set({ ownerId: personId })],
    [
      'another account here',
      (ground: Ground, personId: number) =>
        ground.anAccount({ channel: 'official-account', address: 'o-new', personId }),
    ],
  ])('who has %s by then needs a code', async (_what, give) => {
    const ground = await openGround()
    const { personId, id } = await aRegistered(ground)
    await ground.happens(wang, left)
    await give(ground, personId)
    await ground.happens(wang, came)
    expect(await ground.account(id)).toMatchObject({ personId: null })
  })

  test('that they left is heard only after they came back: nothing is lost', async () => {
    const ground = await openGround()
    const { personId, id } = await aRegistered(ground)
    ground.clock.advance(MINUTE)
    const leftAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens(wang, came)
    await ground.happens({ ...wang, at: leftAt }, left)
    expect(await ground.account(id)).toMatchObject({ personId, boundBy: 'registration', isReachable: true })
  })

  test('an account that was bound by an audit is not remembered', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('张思雨')
    const id = await ground.anAccount({ ...wang, personId, boundBy: 'join_request' })
    await ground.happens(wang, left)
    await ground.happens(wang, came)
    expect(await ground.account(id)).toMatchObject({ personId: null })
  })
})

describe('the WeCom app is hidden from a member', () => {
  const lin = { channel: 'wecom', address: 'lin' } as const

  test('cannot be written to, keeps the binding; shown again, both', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('林县书')
    const id = await ground.anAccount({ ...lin, personId })
    ground.clock.advance(MINUTE)
    expect(await ground.happens(lin, left)).toBe(true)
    expect(await ground.account(id)).toMatchObject({ isReachable: false, personId, boundBy: 'code' })
    ground.clock.advance(MINUTE)
    expect(await ground.happens(lin, came)).toBe(false)
    expect(await ground.account(id)).toMatchObject({ isReachable: true, personId, boundBy: 'code' })
    expect(await ground.audited()).toEqual([])
  })

  test('heard of only after it was shown again, a second later: nothing', async () => {
    const ground = await openGround()
    const id = await ground.anAccount(lin)
    ground.clock.advance(MINUTE)
    const hiddenAt = ground.clock.now()
    ground.clock.advance(1000)
    await ground.happens(lin, came)
    await ground.happens({ ...lin, at: hiddenAt }, left)
    expect(await ground.account(id)).toMatchObject({ isReachable: true })
  })

  test('late, after they have written again: nothing', async () => {
    const ground = await openGround()
    const id = await ground.anAccount(lin)
    const hiddenAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.writes(lin.channel, lin.address)
    await ground.happens({ ...lin, at: hiddenAt }, left)
    expect(await ground.account(id)).toMatchObject({ isReachable: true })
  })
})

describe('somebody opens the app', () => {
  const lin = { channel: 'wecom', address: 'lin' } as const

  test('is greeted the first time only', async () => {
    const ground = await openGround()
    expect(await ground.happens(lin, { kind: 'entered' })).toBe(false)
    await ground.writes(lin.channel, lin.address)
    for (let time = 0; time < 3; time++) expect(await ground.happens(lin, { kind: 'entered' })).toBe(true)
  })

  test('who opens it can see it: they can be written to again', async () => {
    const ground = await openGround()
    const id = await ground.anAccount(lin)
    ground.clock.advance(MINUTE)
    const openedAt = ground.clock.now()
    ground.clock.advance(MINUTE)
    await ground.happens(lin, left)
    await ground.happens({ ...lin, at: openedAt }, { kind: 'entered' })
    expect(await ground.account(id)).toMatchObject({ isReachable: false })
    ground.clock.advance(MINUTE)
    await ground.happens(lin, { kind: 'entered' })
    expect(await ground.account(id)).toMatchObject({ isReachable: true })
  })

  test('a chat with the robot is greeted each time it says so, which is once a day', async () => {
    const ground = await openGround()
    await ground.anAccount(lin)
    expect(
      await ground.happens({ ...lin, channel: 'aibot', addressSpace: 'wecom' }, { kind: 'entered' }),
    ).toBe(false)
  })
})

describe('an authorisation is taken back', () => {
  const revoked: Deed = { kind: 'authorization_revoked', openId: 'o-wang', revoked: ['205'], isClosed: false }
  const byPlatform = { channel: 'official-account', address: 'o-platform' } as const

  test('what it gave is deleted, the binding stays; said twice, it is on record once', async () => {
    const ground = await openGround()
    const personId = await ground.aPerson('王镇川')
    const id = await ground.anAccount({ ...wang, personId, unionId: 'u-wang' })
    for (let time = 0; time < 2; time++) await ground.happens(byPlatform, revoked)
    expect(await ground.account(id)).toMatchObject({
      unionId: null,
      personId,
      boundBy: 'code',
      isReachable: true,
    })
    expect(await ground.audited()).toEqual([
      {
        action: 'authorization.revoked',
        subjectKind: 'identity',
        subjectId: id,
        details: { channel: 'official-account', revoked: ['205'], at: ground.clock.now().toISOString() },
      },
    ])
    ground.clock.advance(MINUTE)
    await ground.happens(byPlatform, revoked)
    expect(await ground.audited()).toHaveLength(2)
  })

  test('also of somebody we do not know', async () => {
    const ground = await openGround()
    await ground.happens(byPlatform, revoked)
    expect(await ground.audited()).toMatchObject([{ action: 'authorization.revoked', subjectId: null }])
    expect(JSON.stringify(await ground.audited())).not.toContain('o-wang')
  })
})
