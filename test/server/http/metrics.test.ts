import Fastify, { type FastifyInstance } from 'fastify'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectDatabase } from '../../../db/client.ts'
import { raiseAlarm } from '../../../db/queries/alarms.ts'
import { insertChannelLog } from '../../../db/queries/platform.ts'
import {
  deliveries,
  groups,
  notices,
  outgoingMessages,
  persons,
  units,
  updates,
} from '../../../db/schema/index.ts'
import { movableClock } from '../../../server/clock.ts'
import { readConfig } from '../../../server/config.ts'
import { registerMetrics } from '../../../server/http/metrics.ts'
import { RequestStats } from '../../../server/http/request-stats.ts'
import { randomDataKey } from '../../../server/start.ts'
import { cloneDatabase } from '../../support/database.ts'

const TOKEN = 'token-of-prometheus-for-tests'
const now = new Date('2026-09-07T09:00:00+08:00')
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000)

/** An app with the metrics and two routes of a test's own. */
function openApp(databaseUrl: string, env: Record<string, string> = { METRICS_TOKEN: TOKEN }) {
  const config = readConfig({
    DATA_KEY: randomDataKey(),
    OFFICIAL_ACCOUNT_APP_ID: 'wx1',
    OFFICIAL_ACCOUNT_SECRET: 'secret',
    OFFICIAL_ACCOUNT_TOKEN: 'token',
    OFFICIAL_ACCOUNT_MODE: 'plain',
    ...env,
  })
  const { db, close } = connectDatabase(databaseUrl, 2)
  const app = Fastify() as unknown as FastifyInstance
  registerMetrics(app, { config, db, clock: movableClock(now) })
  app.register(async scope => {
    scope.get('/pages/:token', async () => 'page')
    scope.post('/webhooks/wecom', async () => {
      throw new Error('no')
    })
  })
  onTestFinished(async () => {
    await app.close()
    await close()
  })
  return app
}

async function scrape(app: FastifyInstance, token = TOKEN) {
  const { statusCode, body, headers } = await app.inject({
    url: '/metrics',
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: statusCode, type: headers['content-type'], lines: body.split('\n') }
}

describe('GET /metrics', () => {
  let databaseUrl: string
  beforeAll(async () => {
    databaseUrl = await cloneDatabase()
  })

  test('is not there without the setting, from wherever it is asked for', async () => {
    const app = openApp(databaseUrl, {})
    for (const remoteAddress of ['127.0.0.1', '203.0.113.7'])
      expect((await app.inject({ url: '/metrics', remoteAddress })).statusCode).toBe(404)
  })

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['another token', { authorization: 'Bearer token-of-prometheus-for-testz' }],
    ['the beginning of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token alone', { authorization: TOKEN }],
    ['another scheme', { authorization: `Basic ${TOKEN}` }],
  ])('refuses %s', async (_label, headers) => {
    const answer = await openApp(databaseUrl).inject({ url: '/metrics', headers })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer')
    expect(answer.body).not.toContain('qunzhen_')
  })

  test('shows what waits, and zeros for what does not', async () => {
    const url = await cloneDatabase()
    const app = openApp(url)
    const quiet = await scrape(app)
    expect(quiet.type).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(quiet.lines).toEqual(
      expect.arrayContaining([
        'qunzhen_database_up 1',
        'qunzhen_updates{state="received"} 0',
        'qunzhen_updates{state="set_aside"} 0',
        'qunzhen_updates_oldest_seconds 0',
        'qunzhen_outgoing_messages{status="unknown"} 0',
        'qunzhen_timers_overdue 0',
        'qunzhen_channel_calls_recent{channel="wecom",result="ok"} 0',
      ]),
    )
    await fill(url)
    expect((await scrape(app)).lines).toEqual(
      expect.arrayContaining([
        'qunzhen_updates{state="received"} 1',
        'qunzhen_updates{state="failing"} 1',
        'qunzhen_updates{state="set_aside"} 2',
        'qunzhen_updates_oldest_seconds 90',
        'qunzhen_outgoing_messages{status="pending"} 1',
        'qunzhen_outgoing_messages{status="retrying"} 1',
        'qunzhen_outgoing_messages{status="sending"} 0',
        'qunzhen_outgoing_messages{status="waiting"} 1',
        'qunzhen_outgoing_messages{status="failed"} 1',
        'qunzhen_outgoing_oldest_due_seconds 30',
        'qunzhen_timers_overdue 1',
        'qunzhen_timers_oldest_overdue_seconds 600',
        'qunzhen_alarms_open{about="platform:wecom"} 2',
        'qunzhen_channel_calls_recent{channel="wecom",result="ok"} 2',
        'qunzhen_channel_calls_recent{channel="wecom",result="config"} 1',
        'qunzhen_channel_calls_recent{channel="wecom",result="no_answer"} 1',
        'qunzhen_channel_calls_recent{channel="official-account",result="rejected"} 1',
      ]),
    )
  })

  test('counts requests by the pattern of their route, and names nobody', async () => {
    const app = openApp(databaseUrl)
    await app.inject({ url: '/pages/secret-token?msg_signature=abc' })
    await app.inject({ url: '/pages/secret-token' })
    await app.inject({ method: 'POST', url: '/webhooks/wecom' })
    await app.inject({ url: '/nowhere/13900000001' })
    const { lines } = await scrape(app)
    expect(lines).toEqual(
      expect.arrayContaining([
        'qunzhen_http_requests_total{method="GET",route="/pages/:token",status="200"} 2',
        'qunzhen_http_requests_total{method="POST",route="/webhooks/wecom",status="500"} 1',
        'qunzhen_http_requests_total{method="GET",route="(none)",status="404"} 1',
        'qunzhen_http_request_duration_seconds_count{method="GET",route="/pages/:token"} 2',
        'qunzhen_http_request_duration_seconds_bucket{method="GET",route="/pages/:token",le="+Inf"} 2',
      ]),
    )
    expect(lines.join('\n')).not.toMatch(/secret-token|msg_signature|13900000001/)
    for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag'])
      expect(lines.some(line => line.startsWith(name))).toBe(true)
  })

  test('is what Prometheus reads: each metric described once, each line a number', async () => {
    const url = await cloneDatabase()
    await fill(url)
    const { lines } = await scrape(openApp(url))
    const described = lines.filter(line => line.startsWith('# TYPE')).map(line => line.split(' ')[2])
    expect(new Set(described).size).toBe(described.length)
    for (const line of lines.filter(each => each !== '' && !each.startsWith('#')))
      expect(line).toMatch(
        /^[a-z_][a-z0-9_]*(\{[a-zA-Z_]+="[^"]*"(,[a-zA-Z_]+="[^"]*")*\})? -?(\d[\d.e+-]*|NaN)$/,
      )
  })

  test('still says how the process is when the database does not answer', async () => {
    const { lines, status } = await scrape(openApp('postgres://nobody@127.0.0.1:1/none'))
    expect(status).toBe(200)
    expect(lines).toContain('qunzhen_database_up 0')
    expect(lines.some(line => line.startsWith('process_'))).toBe(true)
    expect(lines.some(line => line.startsWith('qunzhen_updates'))).toBe(false)
  })
})

describe('request statistics', () => {
  test('put every duration into its class, the classes adding up', () => {
    const stats = new RequestStats()
    for (const milliseconds of [0, 5, 6, 300, 3999, 60_000]) stats.count('GET', '/x', 200, milliseconds)
    const counts = [...stats.text().matchAll(/_bucket\{.*le="(.+)"\} (\d+)/g)].map(([, le, n]) => [
      le,
      Number(n),
    ])
    expect(counts).toEqual([
      ['0.005', 2],
      ['0.02', 3],
      ['0.05', 3],
      ['0.1', 3],
      ['0.25', 3],
      ['0.5', 4],
      ['1', 4],
      ['2.5', 4],
      ['4', 5],
      ['10', 5],
      ['+Inf', 6],
    ])
  })

  test('cost next to nothing', () => {
    const stats = new RequestStats()
    const begun = performance.now()
    for (let index = 0; index < 200_000; index++) stats.count('POST', '/webhooks/wecom', 200, index % 50)
    // a callback takes some 300 microseconds; measured: 0.05 for this
    expect((performance.now() - begun) / 200_000).toBeLessThan(0.005)
  })
})

/** Some of everything that may wait or be wrong. */
async function fill(url: string): Promise<void> {
  const { db, close } = connectDatabase(url, 2)
  const update = {
    channel: 'wecom',
    kind: 'text',
    payloadSealed: 'x',
    receivedAt: ago(90),
    status: 'received',
  }
  await db.insert(updates).values([
    { ...update, dedupeKey: '1' },
    { ...update, dedupeKey: '2', attempts: 2, receivedAt: ago(9000) },
    { ...update, dedupeKey: '3', status: 'set_aside' },
    { ...update, dedupeKey: '4', status: 'set_aside' },
    { ...update, dedupeKey: '5', status: 'handled' },
  ])
  const message = { kind: 'person', purpose: 'task', textsSealed: 'x', createdAt: ago(60) }
  await db.insert(outgoingMessages).values([
    { ...message, status: 'pending', nextAttemptAt: ago(30) },
    { ...message, status: 'retrying', nextAttemptAt: ago(-60) },
    { ...message, status: 'waiting', nextAttemptAt: ago(30) },
    { ...message, status: 'failed', nextAttemptAt: ago(30) },
    { ...message, status: 'failed', nextAttemptAt: ago(30), createdAt: ago(2 * 86_400) },
    { ...message, status: 'sent', nextAttemptAt: ago(30) },
  ])
  const [unit] = await db
    .insert(units)
    .values({
      programme: 'qingnong',
      code: '1',
      name: '县',
      kind: 'county-committee',
      level: 'county',
      path: '/1/',
      createdAt: now,
    })
    .returning()
  const [author] = await db
    .insert(persons)
    .values({ name: '张三', nameKey: '张三', soundKey: 'zhangsan', createdAt: now })
    .returning()
  const [notice] = await db
    .insert(notices)
    .values({
      programme: 'qingnong',
      unitId: unit?.id ?? 0,
      authorId: author?.id ?? 0,
      body: 'x',
      category: '政策法规',
      issuedAt: now,
      deadlineAt: now,
    })
    .returning()
  for (const dueAt of [ago(600), ago(-600), null]) {
    const [group] = await db
      .insert(groups)
      .values({
        programme: 'qingnong',
        kind: 'youth',
        unitId: unit?.id ?? 0,
        name: 'x',
        platform: 'wechat',
        capacity: 500,
        size: 1,
        createdAt: now,
      })
      .returning()
    await db.insert(deliveries).values({
      noticeId: notice?.id ?? 0,
      groupId: group?.id ?? 0,
      route: 'relay',
      status: 'sent',
      dueAt,
      updatedAt: now,
    })
  }
  await raiseAlarm(db, 'platform:wecom:60020', 'x', now)
  await raiseAlarm(db, 'platform:wecom:40001', 'x', now)
  const call = { channel: 'wecom', call: '/cgi-bin/message/send', tookMs: 5, at: ago(60) }
  await insertChannelLog(db, [
    { ...call, errcode: 0 },
    { ...call, errcode: 0 },
    { ...call, errcode: 0, at: ago(600) },
    { ...call, errcode: 60020 },
    { ...call, errcode: null },
    { ...call, channel: 'official-account', errcode: 999_999 },
  ])
  await close()
}
