import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/client.ts'
import { openAlarms, raiseAlarm } from '../../db/queries/alarms.ts'
import { insertChannelLog } from '../../db/queries/platform.ts'
import {
  auditLog,
  dailyCounts,
  identities,
  outgoingMessages,
  persons,
  updates,
} from '../../db/schema/index.ts'
import { dayOf, systemClock } from '../../server/clock.ts'
import { randomDataKey } from '../../server/start.ts'
import { createVault } from '../../server/vault.ts'
import { cloneDatabase } from '../support/database.ts'
import { runProgram } from '../support/process.ts'

const SECRETS = /张三|13800000006|wm-address|sealed-words|eyJ/

/** The command line that an operator looks at first. */
describe('npm run status', () => {
  const env: Record<string, string> = { DATA_KEY: randomDataKey() }
  let database: Database
  const now = systemClock.now()
  const status = (...args: string[]) => runProgram('scripts/status.ts', args, env)
  const updateIds: number[] = []

  beforeAll(async () => {
    env.DATABASE_URL = await cloneDatabase()
    database = connectDatabase(env.DATABASE_URL, 2)
    const { db } = database
    const vault = createVault(env.DATA_KEY as string)
    const update = {
      channel: 'wecom',
      kind: 'text',
      receivedAt: now,
      status: 'handled',
      payloadSealed: 'sealed-words',
    }
    const stored = await db
      .insert(updates)
      .values([
        {
          ...update,
          dedupeKey: 'id:1',
          status: 'set_aside',
          attempts: 5,
          error: JSON.stringify({
            error: 'TypeError',
            code: 'ERR_X',
            message: '张三 13800000006',
            at: ['at handle (/srv/server/domain/groups/register.ts:12:3)'],
          }),
        },
        {
          ...update,
          dedupeKey: 'id:2',
          status: 'set_aside',
          error: '{"error":"ChannelError","code":"张三 13800000006',
        },
        ...['new_event', 'new_event'].map((name, index) => ({
          ...update,
          dedupeKey: `hash:${index}`,
          kind: 'unknown',
          payloadSealed: vault.seal(JSON.stringify({ name, body: '张三 13800000006' })),
        })),
      ])
      .returning({ id: updates.id })
    updateIds.push(...stored.map(row => row.id))
    await raiseAlarm(db, 'platform:wecom:60020', '请把出口 IP 填进企业可信 IP', now)
    const message = { purpose: 'task', textsSealed: 'sealed-words', nextAttemptAt: now, createdAt: now }
    await db.insert(outgoingMessages).values([
      { ...message, kind: 'person', status: 'pending' },
      { ...message, kind: 'person', status: 'pending' },
      { ...message, kind: 'robot', purpose: 'notice', status: 'unknown' },
    ])
    const [person] = await db
      .insert(persons)
      .values({ name: '张三', nameKey: 'x', soundKey: 'x', createdAt: now })
      .returning({ id: persons.id })
    await db.insert(identities).values({
      channel: 'official-account',
      address: 'wm-address',
      personId: person?.id as number,
      windowEndsAt: new Date(now.getTime() + 3600_000),
      windowLeft: 4,
      createdAt: now,
    })
    await db.insert(dailyCounts).values({ key: 'official.template.day', day: dayOf(now), count: 77 })
    await insertChannelLog(db, [
      {
        at: now,
        channel: 'wecom',
        call: '/cgi-bin/message/send',
        errcode: 60020,
        message: '张三',
        tookMs: 3,
      },
      {
        at: now,
        channel: 'wecom',
        call: '/cgi-bin/gettoken',
        errcode: null,
        message: 'no answer',
        tookMs: 3,
      },
      { at: now, channel: 'wecom', call: '/cgi-bin/fine', errcode: 0, message: 'ok', tookMs: 3 },
    ])
  })
  afterAll(() => database.close())

  test('says how things stand, in Chinese, without secrets or personal data', async () => {
    const { status: exit, stdout, stderr } = await status()
    expect([exit, stderr]).toEqual([0, ''])
    for (const line of [
      /#\d+ platform:wecom:60020 ×1/,
      /请把出口 IP 填进企业可信 IP/,
      new RegExp(`#${updateIds[0]} 企业微信 text，.*：TypeError ERR_X register\\.ts:12`),
      new RegExp(`#${updateIds[1]} 企业微信 text，.*：ChannelError`),
      /wecom\/new_event ×2/,
      /待发 给个人·任务 2 条/,
      /不知是否发出（24 小时内） 群机器人·通知 1 条/,
      /现在可直接发消息：1 人，共还能发 4 条/,
      /公众号模板消息（条）：今天 77 \/ 100000/,
      /企业微信 \/cgi-bin\/message\/send 60020 ×1/,
      /\/cgi-bin\/gettoken 没有应答 ×1/,
    ])
      expect(stdout).toMatch(line)
    expect(stdout).not.toContain('/cgi-bin/fine')
    expect(stdout).not.toMatch(SECRETS)
  })

  test('says the same to programs', async () => {
    const { stdout } = await status('--json')
    expect(JSON.parse(stdout)).toMatchObject({
      alarms: [{ cause: 'platform:wecom:60020', times: 1 }],
      updatesSetAside: [{ id: updateIds[0], kind: 'text', channel: 'wecom' }, { id: updateIds[1] }],
      unknownUpdates: [{ day: dayOf(now), name: 'wecom/new_event', count: 2 }],
      messages: expect.arrayContaining([expect.objectContaining({ status: 'pending', count: 2 })]),
      officialAccount: { byMessage: 1, messagesLeft: 4, byTemplateOnly: 0, notAtAll: 0 },
      quotas: [{ name: 'official.template.day', used: 77, limit: 100_000 }],
    })
    expect(stdout).not.toMatch(SECRETS)
  })

  test('--retry puts an update back, --close closes an alarm, and both are in the audit log', async () => {
    const { db } = database
    const [alarm] = await openAlarms(db)
    const done = await status('--retry', String(updateIds[0]), '--close', String(alarm?.id))
    expect(done).toMatchObject({ status: 0, stdout: expect.stringMatching(/已放回[\s\S]*已关闭/) })
    expect(
      await db.query.updates.findFirst({ where: (t, { eq }) => eq(t.id, updateIds[0] as number) }),
    ).toMatchObject({
      status: 'received',
      attempts: 0,
      error: null,
    })
    expect(await openAlarms(db)).toEqual([])
    expect((await db.select().from(auditLog)).map(row => [row.action, row.subjectId])).toEqual([
      ['update.retried', updateIds[0]],
      ['alarm.closed', alarm?.id],
    ])
  })

  test('--retry messages and --retry updates put back all that is worth it', async () => {
    const { db } = database
    const later = new Date(now.getTime() + 3600_000)
    const message = { purpose: 'task', textsSealed: 'sealed-words', nextAttemptAt: later, createdAt: now }
    const old = new Date(now.getTime() - 4 * 86_400_000)
    const made = await db
      .insert(outgoingMessages)
      .values([
        { ...message, kind: 'person', status: 'retrying', attempts: 4 },
        { ...message, kind: 'person', status: 'failed', attempts: 9 },
        { ...message, kind: 'join_pass', status: 'failed', attempts: 9 },
        { ...message, kind: 'person', status: 'failed', attempts: 9, createdAt: old },
        { ...message, kind: 'person', status: 'failed', attempts: 9, expiresAt: now },
        { ...message, kind: 'robot', status: 'failed', attempts: 9 },
      ])
      .returning({ id: outgoingMessages.id })
    expect((await status('--retry', 'messages')).stdout).toContain(
      '1 条重试中的消息现在就发，2 条没发出的已放回',
    )
    const rows = await db.query.outgoingMessages.findMany({
      where: (t, { inArray }) =>
        inArray(
          t.id,
          made.map(row => row.id),
        ),
      orderBy: (t, { asc }) => asc(t.id),
    })
    expect(rows.map(row => [row.status, row.attempts, row.nextAttemptAt < later])).toEqual([
      ['retrying', 4, true],
      ['pending', 0, true],
      ['pending', 0, true],
      ['failed', 9, false],
      ['failed', 9, false],
      ['failed', 9, false],
    ])
    expect((await status('--retry', 'updates')).stdout).toContain('1 条回调已放回')
    expect(await db.query.updates.findMany({ where: (t, { eq }) => eq(t.status, 'set_aside') })).toEqual([])
    const deeds = await db.query.auditLog.findMany({ orderBy: (t, { asc }) => asc(t.id) })
    expect(deeds.slice(-2)).toMatchObject([
      { action: 'messages.retried', details: { hastened: 1, putBack: 2 } },
      { action: 'updates.retried', details: { count: 1 } },
    ])
  })

  test('wrong words get a clear no, and --help explains them', async () => {
    const refused: [string[], number, RegExp][] = [
      [['--retry', '999999'], 1, /没有搁置的回调 999999/],
      [['--close', '999999'], 1, /没有未关闭的告警 999999/],
      [['--retry', 'abc'], 2, /编号/],
      [['--nope'], 2, /用法/],
    ]
    const runs = await Promise.all(refused.map(([args]) => status(...args)))
    for (const [index, [, exit, words]] of refused.entries()) {
      expect(runs[index]).toMatchObject({ status: exit, stderr: expect.stringMatching(words) })
      expect(runs[index]?.stderr).not.toMatch(/^\s+at /m)
    }
    expect(await status('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('用法') })
  })
})
