import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../../db/client.ts'
import { closeAlarm, deleteClosedAlarms, openAlarms, raiseAlarm } from '../../../db/queries/alarms.ts'
import { insertChannelLog } from '../../../db/queries/platform.ts'
import { alarms, channelLog, outgoingMessages, updates } from '../../../db/schema/index.ts'
import { type MovableClock, movableClock } from '../../../server/clock.ts'
import { raiseAlarms } from '../../../server/jobs/raise-alarms.ts'
import type { DomainRuntime } from '../../../server/runtime.ts'
import { randomDataKey } from '../../../server/start.ts'
import { createVault } from '../../../server/vault.ts'
import { cloneDatabase } from '../../support/database.ts'

const NOON = new Date('2026-09-07T12:00:00+08:00')

/** What an operator must see to is found in the tables, and told once for each cause. */
describe('alarms', () => {
  let rt: DomainRuntime
  let clock: MovableClock
  let count = 0

  let database: Database

  beforeAll(async () => {
    database = connectDatabase(await cloneDatabase(), 8)
  })
  afterAll(() => database.close())
  beforeEach(async () => {
    const { db } = database
    for (const table of [alarms, channelLog, outgoingMessages, updates]) await db.delete(table)
    clock = movableClock(NOON)
    const log = { error() {} }
    rt = { db, clock, vault: createVault(randomDataKey()), log } as unknown as DomainRuntime
  })

  const told = async () => (await openAlarms(rt.db)).map(alarm => [alarm.cause, alarm.times])
  const run = async () => {
    await raiseAlarms(rt)
    return told()
  }
  const refuse = (errcode: number | null, call = '/cgi-bin/message/send', channel = 'wecom') =>
    insertChannelLog(rt.db, [{ at: clock.now(), channel, call, errcode, message: null, tookMs: 1 }])
  const storeUpdate = (set: Partial<typeof updates.$inferInsert>) =>
    rt.db.insert(updates).values({
      channel: 'wecom',
      dedupeKey: `id:${count++}`,
      kind: 'text',
      payloadSealed: 'sealed',
      receivedAt: clock.now(),
      status: 'handled',
      ...set,
    })
  const unknown = (name: unknown) =>
    storeUpdate({
      kind: 'unknown',
      payloadSealed: rt.vault.seal(JSON.stringify({ name, body: '张三 13800000006' })),
    })
  const storeMessage = (status: string) =>
    rt.db.insert(outgoingMessages).values({
      kind: 'person',
      purpose: 'task',
      textsSealed: '',
      status,
      nextAttemptAt: clock.now(),
      createdAt: clock.now(),
    })
  const close = async (cause: string) => {
    const alarm = (await openAlarms(rt.db)).find(each => each.cause === cause)
    expect(await closeAlarm(rt.db, alarm?.id as number, clock.now())).toBe(true)
  }

  test('nothing is wrong: nothing is said', async () => {
    await refuse(0)
    await storeUpdate({})
    await storeMessage('sent')
    expect(await run()).toEqual([])
  })

  test.each<[string, () => Promise<unknown>, string, RegExp]>([
    ['an update set aside', () => storeUpdate({ status: 'set_aside' }), 'updates:set_aside', /--retry/],
    ['a message that failed', () => storeMessage('failed'), 'messages:failed', /没有发出去/],
    ['a post of unknown fate', () => storeMessage('unknown'), 'messages:unknown', /到群里看一眼/],
    ['an unknown event', () => unknown('brand_new_event'), 'updates:unknown', /wecom\/brand_new_event ×1/],
    ['our IP refused', () => refuse(60020), 'platform:wecom:60020', /企业可信 IP → 配置/],
    ['a missing right', () => refuse(48002), 'platform:wecom:48002', /可调用接口的应用/],
    ['a wrong secret', () => refuse(40001, '/cgi-bin/gettoken'), 'platform:wecom:40001', /WECOM_SECRET/],
    ['another app’s secret', () => refuse(301002), 'platform:wecom:301002', /WECOM_AGENT_ID/],
    ['a corp that is not verified', () => refuse(610016), 'platform:wecom:610016', /认证/],
    [
      'our IP refused by the Official Account',
      () => refuse(40164, '/cgi-bin/stable_token', 'official-account'),
      'platform:official-account:40164',
      /API IP 白名单/,
    ],
    [
      'the Official Account’s wrong secret',
      () => refuse(40001, '/cgi-bin/stable_token', 'official-account'),
      'platform:official-account:40001',
      /OFFICIAL_ACCOUNT_SECRET/,
    ],
    ['a setting that has no words of ours', () => refuse(48010), 'platform:wecom:48010', /query\?e=48010/],
  ])('%s', async (_name, happens, cause, words) => {
    await happens()
    expect(await run()).toEqual([[cause, 1]])
    expect((await openAlarms(rt.db))[0]?.words).toMatch(words)
  })

  test.each<[string, () => Promise<unknown>]>([
    ['a void token', () => refuse(42001)],
    ['the Official Account’s token, which mends itself', () => refuse(40001, '/x', 'official-account')],
    ['no answer', () => refuse(null)],
    ['somebody who has left', () => refuse(60111)],
  ])('%s needs nobody', async (_name, happens) => {
    await happens()
    expect(await run()).toEqual([])
  })

  test('one alarm for each cause, which counts; counting again changes nothing', async () => {
    await refuse(60020)
    await refuse(60020, '/cgi-bin/appchat/send')
    await refuse(48002)
    const expected = [
      ['platform:wecom:48002', 1],
      ['platform:wecom:60020', 2],
    ]
    expect((await run()).sort()).toEqual(expected)
    expect((await run()).sort()).toEqual(expected)
    clock.advance(60_000)
    await refuse(60020)
    expect((await run()).sort()).toEqual([expected[0], ['platform:wecom:60020', 3]])
  })

  test('closed, it stays closed until it happens again', async () => {
    await refuse(60020)
    await storeMessage('failed')
    await run()
    clock.advance(1000)
    await close('platform:wecom:60020')
    await close('messages:failed')
    expect(await run()).toEqual([])
    clock.advance(1000)
    await refuse(60020)
    expect(await run()).toEqual([['platform:wecom:60020', 1]])
  })

  test('an update that was being tried when its alarm was closed is told', async () => {
    await storeUpdate({ status: 'set_aside' })
    await run()
    clock.advance(3600_000)
    await storeUpdate({ status: 'set_aside' })
    clock.advance(30_000)
    await close('updates:set_aside')
    expect(await run()).toEqual([['updates:set_aside', 1]])
  })

  test('what the platform’s event holds is not told, only its name', async () => {
    await unknown('a_b')
    await unknown('a_b')
    await unknown('张三 13800000006')
    await storeUpdate({ kind: 'unknown', payloadSealed: 'unreadable' })
    await run()
    const [alarm] = await openAlarms(rt.db)
    expect(alarm).toMatchObject({ cause: 'updates:unknown', times: 4 })
    expect(alarm?.words).toContain('wecom/a_b ×2')
    expect(alarm?.words).toContain('wecom/? ×2')
    expect(alarm?.words).not.toMatch(/张三|13800000006/)
  })

  test('raised by hand: the first opens, the others count, by many at once', async () => {
    const raise = () => raiseAlarm(rt.db, 'app:closed', '请打开应用', clock.now())
    const opened = await Promise.all(Array.from({ length: 8 }, raise))
    expect(opened.filter(isNew => isNew)).toHaveLength(1)
    expect(await told()).toEqual([['app:closed', 8]])
    await close('app:closed')
    expect(await raise()).toBe(true)
    expect(await closeAlarm(rt.db, 999, clock.now())).toBe(false)
    await deleteClosedAlarms(rt.db, new Date(NOON.getTime() + 1))
    expect(await told()).toEqual([['app:closed', 1]])
  })
})
