import { describe, expect, test } from 'vitest'
import { outgoingMessages } from '../../../../db/schema/index.ts'
import { type Deed, type Ground, openGround } from './ground.ts'

const MINUTE = 60_000
type CustomerDeed = Extract<Deed, { kind: 'customer' }>

const customer = (change: CustomerDeed['change'], more: Partial<CustomerDeed> = {}): CustomerDeed => ({
  kind: 'customer',
  change,
  userId: 'lin',
  customerId: 'wmZhang',
  state: null,
  welcomeCode: null,
  reason: null,
  ...more,
})

const messages = (ground: Ground) => ground.rt.db.select().from(outgoingMessages)

describe('a customer is welcomed', () => {
  test.each(['added', 'half_added'] as const)(
    '%s: once for a code, however often it is said',
    async change => {
      const ground = await openGround()
      for (let time = 0; time < 3; time++) {
        expect(await ground.happens({}, customer(change, { welcomeCode: 'CODE1' }))).toBe(true)
        ground.clock.advance(5000)
      }
      const sent = await messages(ground)
      expect(sent).toHaveLength(1)
      const [message] = sent
      expect(message?.expiresAt).toEqual(new Date('2026-09-07T09:00:20+08:00'))
      const opened = ground.rt.vault.open(message?.textsSealed ?? '')
      for (const word of ['身份证号', '入群 群号', '绑定 绑定码']) expect(opened).toContain(word)
      expect(Buffer.byteLength(opened)).toBeLessThan(4000)
      await ground.happens({}, customer(change, { welcomeCode: 'CODE2' }))
      expect(await messages(ground)).toHaveLength(2)
    },
  )

  test.each([
    ['without a code: somebody else welcomes, or they talk already', { welcomeCode: null }, 0],
    ['late: the code is dead', { welcomeCode: 'CODE1' }, 20_000],
  ])('%s', async (_why, more, agoMs) => {
    const ground = await openGround()
    const at = new Date(ground.clock.now().getTime() - agoMs)
    await ground.happens({ at }, customer('added', more))
    expect(await messages(ground)).toEqual([])
  })

  test('the code lies nowhere in the clear', async () => {
    const ground = await openGround()
    await ground.happens({}, customer('added', { welcomeCode: 'SECRETCODE' }))
    const everything = JSON.stringify([
      await messages(ground),
      await ground.rt.db.query.attempts.findMany(),
      ground.logged,
    ])
    expect(everything).not.toContain('SECRETCODE')
  })
})

describe('a customer is lost', () => {
  test.each(['removed_by_staff', 'removed_by_customer'] as const)(
    '%s: cannot be written to, is known all the same; added again, can',
    async change => {
      const ground = await openGround()
      const personId = await ground.aPerson('张思雨')
      const id = await ground.anAccount({ channel: 'wecom', address: 'wmZhang', personId })
      ground.clock.advance(MINUTE)
      const addedAt = ground.clock.now()
      ground.clock.advance(MINUTE)
      for (let time = 0; time < 2; time++) await ground.happens({}, customer(change))
      expect(await ground.account(id)).toMatchObject({ isReachable: false, personId })
      await ground.happens({ at: addedAt }, customer('added'))
      expect(await ground.account(id)).toMatchObject({ isReachable: false })
      const removedAt = ground.clock.now()
      ground.clock.advance(MINUTE)
      await ground.happens({}, customer('added'))
      await ground.happens({ at: removedAt }, customer(change))
      expect(await ground.account(id)).toMatchObject({ isReachable: true, personId })
      expect(await ground.audited()).toEqual([])
    },
  )

  test('a member of staff of the same name of account is not meant', async () => {
    const ground = await openGround()
    const id = await ground.anAccount({ channel: 'wecom', address: 'lin' })
    await ground.happens({}, customer('removed_by_staff'))
    expect(await ground.account(id)).toMatchObject({ isReachable: true })
  })
})

describe('a customer could not be transferred', () => {
  test.each([
    ['customer_refused', '客户拒绝'],
    ['customer_limit_exceed', '已到上限'],
    [null, '没有说明原因'],
  ])('%s: operators are told what to do, without ids', async (reason, words) => {
    const ground = await openGround()
    for (let time = 0; time < 2; time++) await ground.happens({}, customer('transfer_failed', { reason }))
    const alarms = await ground.alarmed()
    expect(alarms).toMatchObject([{ cause: 'customer:transfer-failed', times: 2 }])
    expect(alarms[0]?.words).toContain(words)
    expect(alarms[0]?.words).not.toMatch(/wmZhang|lin/)
  })
})
