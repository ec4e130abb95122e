import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAlarms, raiseAlarm } from '../../db/queries/alarms.ts'
import { insertChannelLog } from '../../db/queries/platform.ts'
import {
  alarms,
  auditLog,
  channelLog,
  deliveries,
  outgoingMessages,
  receipts,
  updates,
} from '../../db/schema/index.ts'
import { settingNames } from '../../server/config.ts'
import { makeAdministratorByOperator } from '../../server/domain/sign-in/administrators.ts'
import { settingsInForce } from '../../server/status/settings.ts'
import { shapeOf } from '../../server/status/structure.ts'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber, rows } from '../support/matrix.ts'
import { accountSettings, openStage, type Stage, wecomSettings } from '../support/stage.ts'

/** What nobody may learn by looking after the server. */
const WORDS = '张三的身份证 61080220010307312X 电话 13800000006'
const SECRETS = /61080220010307312X|13800000006|张三/

describe('the pages for administrators', () => {
  let stage: Stage
  let admin: Visitor
  let officer: Visitor

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const made = await makeAdministratorByOperator(stage.rt, { name: '管系统', unit: null })
    expect(made.link).toMatch(/\/sign-in\/link\/[\w-]{32}$/)
    admin = await signIn(stage, '管系统')
    officer = await signIn(stage, '高市书')
  })
  afterAll(() => stage.close())

  const now = () => stage.clock.now()
  const storeUpdate = async (set: Partial<typeof updates.$inferInsert> = {}) => {
    const [row] = await stage.rt.db
      .insert(updates)
      .values({
        channel: 'wecom',
        dedupeKey: `id:${Math.random()}`,
        kind: 'text',
        payloadSealed: stage.rt.vault.seal(
          JSON.stringify({ kind: 'text', channel: 'wecom', address: 'zhangsan', text: WORDS, at: now() }),
        ),
        receivedAt: now(),
        status: 'set_aside',
        attempts: 5,
        error: JSON.stringify({
          error: 'TypeError',
          message: WORDS,
          at: ['at handle (/srv/server/domain/groups/register.ts:12:3)'],
        }),
        ...set,
      })
      .returning({ id: updates.id })
    return row?.id as number
  }
  const storeMessage = async (set: Partial<typeof outgoingMessages.$inferInsert> = {}) => {
    const [row] = await stage.rt.db
      .insert(outgoingMessages)
      .values({
        kind: 'person',
        personId: await personId(stage, '王镇川'),
        purpose: 'task',
        textsSealed: stage.rt.vault.seal(JSON.stringify([WORDS])),
        status: 'failed',
        attempts: 8,
        nextAttemptAt: now(),
        createdAt: now(),
        ...set,
      })
      .returning({ id: outgoingMessages.id })
    return row?.id as number
  }
  const messageOf = async (id: number) =>
    (await stage.rt.db.select().from(outgoingMessages).where(eq(outgoingMessages.id, id)))[0]
  const deedsOf = async (kind: string, id: number) =>
    (await stage.rt.db.select().from(auditLog).where(eq(auditLog.subjectId, id)))
      .filter(row => row.subjectKind === kind)
      .map(row => [row.action, row.actorId, row.details])

  const pages = [
    '/console/server',
    '/console/server/updates',
    '/console/server/deliveries',
    '/console/server/calls',
    '/console/server/settings',
    '/console/server/self-check',
  ]
  const deeds = [
    '/console/server/updates/retry',
    '/console/server/deliveries/retry',
    '/console/server/self-check/run',
  ]

  test('an administrator without an office has these pages and their own, and no others', async () => {
    for (const path of [...pages, '/me']) expect([path, (await admin.get(path)).status]).toEqual([path, 200])
    for (const path of ['/console', '/console/groups', '/console/roster', '/console/audit'])
      expect([path, (await admin.get(path)).status]).toEqual([path, 404])
    expect((await admin.get('/')).location).toBe('/console/server')
    const { text } = await admin.get('/console/server')
    expect(text).toContain('运维')
    expect(text).not.toContain('href="/console/groups"')
  })

  test('to an officer who is no administrator none of it is there', async () => {
    const update = await storeUpdate()
    const message = await storeMessage()
    await raiseAlarm(stage.rt.db, 'test:officer', '试一试', now())
    const alarm = (await openAlarms(stage.rt.db)).find(each => each.cause === 'test:officer')?.id as number
    const one = [`/console/server/updates/${update}`, `/console/server/deliveries/${message}`]
    for (const path of [...pages, ...one])
      expect([path, (await officer.get(path)).status]).toEqual([path, 404])
    for (const path of [
      ...deeds,
      `/console/server/alarms/${alarm}/close`,
      `/console/server/updates/${update}/retry`,
      ...['send-again', 'mark-sent', 'give-up'].map(deed => `/console/server/deliveries/${message}/${deed}`),
    ])
      expect([path, (await officer.post(path)).status]).toEqual([path, 404])
    expect((await officer.get('/console')).text).not.toContain('/console/server')
    expect((await messageOf(message))?.status).toBe('failed')
    expect((await openAlarms(stage.rt.db)).map(each => each.cause)).toContain('test:officer')
    await stage.rt.db.delete(alarms)
    await stage.rt.db.delete(updates)
    await stage.rt.db.delete(outgoingMessages)
  })

  test('health at a glance: what is wrong, how to mend it, and the deed', async () => {
    expect((await admin.get('/console/server')).text).toContain('没有告警，一切正常')
    await raiseAlarm(stage.rt.db, 'platform:wecom:60020', '请把出口 IP 填进企业可信 IP', now())
    const id = await storeUpdate()
    await storeUpdate({
      kind: 'unknown',
      status: 'handled',
      payloadSealed: stage.rt.vault.seal(JSON.stringify({ kind: 'unknown', name: 'brand_new', body: WORDS })),
    })
    await storeMessage({ status: 'unknown', kind: 'robot', purpose: 'notice' })
    await insertChannelLog(stage.rt.db, [
      {
        at: now(),
        channel: 'wecom',
        call: '/cgi-bin/message/send',
        errcode: 48002,
        message: WORDS,
        tookMs: 3,
      },
    ])
    const { text } = await admin.get('/console/server')
    for (const words of [
      '请把出口 IP 填进企业可信 IP',
      `/console/server/updates/${id}`,
      'TypeError register.ts:12',
      'brand_new',
      '不知是否发出',
      '应用没有这个接口的权限',
    ])
      expect(text).toContain(words)
    expect(text).not.toMatch(SECRETS)

    const alarm = (await openAlarms(stage.rt.db))[0]?.id as number
    const close = `/console/server/alarms/${alarm}/close`
    expect((await admin.post(close)).location).toBe('/console/server')
    expect(await openAlarms(stage.rt.db)).toEqual([])
    expect(await deedsOf('alarm', alarm)).toEqual([['alarm.closed', await personId(stage, '管系统'), {}]])
    // the same form once more: said, and nothing done
    const again = await admin.post(close)
    expect([again.status, again.text]).toEqual([422, expect.stringContaining(`没有未关闭的告警 ${alarm}`)])
    expect(await deedsOf('alarm', alarm)).toHaveLength(1)
    expect((await admin.post('/console/server/alarms/999999/close')).status).toBe(404)
  })

  test('updates: by status and kind, a page at a time', async () => {
    await stage.rt.db.delete(updates)
    for (let at = 0; at < 51; at++) await storeUpdate({ status: 'handled', handledAt: now() })
    const media = await storeUpdate({
      kind: 'media',
      status: 'handled',
      handledAt: new Date(now().getTime() + 2500),
      error: null,
    })
    const first = (await admin.get('/console/server/updates')).text
    expect(first.match(/<tr><td><a href="\/console\/server\/updates\/\d+"/g)).toHaveLength(50)
    expect(first).toContain('page=2')
    const second = (await admin.get('/console/server/updates?page=2')).text
    expect(second.match(/<tr><td><a href="\/console\/server\/updates\/\d+"/g)).toHaveLength(2)
    const ofKind = (await admin.get('/console/server/updates?kind=media')).text
    expect(ofKind).toContain(`/console/server/updates/${media}"`)
    expect(ofKind).toContain('2.5 秒')
    expect(ofKind).not.toContain('page=2')
    expect((await admin.get('/console/server/updates?status=set_aside')).text).toContain('没有这样的回调')
    for (const query of ['?status=nonsense', '?page=-3', '?page=x', '?kind=__proto__'])
      expect((await admin.get(`/console/server/updates${query}`)).status).toBe(200)
  })

  test('an update shows what it is made of, and not a word of it; it can be taken up again', async () => {
    const id = await storeUpdate()
    const { text } = await admin.get(`/console/server/updates/${id}`)
    expect(text).toContain(`文字，${[...WORDS].length} 个字符（内容不显示）`)
    expect(text).toContain('register.ts:12')
    expect(text).not.toMatch(/61080220010307312X|13800000006|张三|zhangsan/)
    const retry = `/console/server/updates/${id}/retry`
    expect((await admin.post(retry)).location).toBe(`/console/server/updates/${id}`)
    const [row] = await stage.rt.db.select().from(updates).where(eq(updates.id, id))
    expect(row).toMatchObject({ status: 'received', attempts: 0, error: null })
    expect((await admin.post(retry)).status).toBe(422)
    expect(await deedsOf('update', id)).toEqual([['update.retried', await personId(stage, '管系统'), {}]])
    const emptied = await storeUpdate({ payloadSealed: '' })
    expect((await admin.get(`/console/server/updates/${emptied}`)).text).toContain('不能再处理了')
    expect((await admin.post(`/console/server/updates/${emptied}/retry`)).status).toBe(422)
    await stage.rt.db.delete(updates)
  })

  test.each<[string, object, string[], RegExp]>([
    [
      'an unknown event in XML',
      {
        kind: 'unknown',
        name: 'new_event',
        body: '<xml><ToUserName><![CDATA[张三]]></ToUserName><CreateTime>12</CreateTime></xml>',
      },
      ['new_event', 'body.ToUserName'],
      /张三/,
    ],
    ['a name that is no name', { kind: 'unknown', name: '张三 138', body: '' }, ['（内容不显示）'], /张三/],
    [
      'somebody’s choice',
      { kind: 'tapped', selected: [{ question: '张三?', options: ['张三'] }] },
      ['selected.0.options'],
      /张三/,
    ],
    ['a key that somebody wrote', { kind: 'contact', details: { 张三: 'x' } }, ['（名称不寻常）'], /张三/],
    ['where somebody is', { kind: 'place', how: 'sent', latitude: '38.28' }, ['sent', 'latitude'], /38\.28/],
  ])('the structure of %s', (_name, update, told, untold) => {
    const words = JSON.stringify(shapeOf(JSON.stringify(update)))
    for (const part of told) expect(words).toContain(part)
    expect(words).not.toMatch(untold)
  })

  test('deliveries: lists say numbers, the page of one says whom; neither what', async () => {
    const id = await storeMessage({ error: '平台拒绝（60020）' })
    await insertChannelLog(stage.rt.db, [
      {
        at: now(),
        channel: 'wecom',
        call: '/cgi-bin/message/send?access_token=TOKEN',
        errcode: 60020,
        message: null,
        tookMs: 41,
        outgoingId: id,
      },
    ])
    const list = (await admin.get('/console/server/deliveries?status=failed&purpose=task')).text
    expect(list).toContain(`/console/server/deliveries/${id}"`)
    expect(list).not.toMatch(SECRETS)
    expect(list).not.toContain('王镇川')
    expect((await admin.get('/console/server/deliveries?status=sent&purpose=report')).text).toContain(
      '没有这样的消息',
    )
    const one = (await admin.get(`/console/server/deliveries/${id}`)).text
    for (const words of [
      '王镇川',
      '给个人',
      '平台拒绝（60020）',
      '企业可信 IP',
      '41 毫秒',
      '/cgi-bin/message/send',
    ])
      expect(one).toContain(words)
    expect(one).not.toMatch(/TOKEN|61080220010307312X/)
    const calls = (await admin.get('/console/server/calls?channel=wecom&failed=yes')).text
    expect(calls).toContain(`/console/server/deliveries/${id}"`)
    expect(calls).not.toMatch(/TOKEN|61080220010307312X/)
    expect((await admin.get('/console/server/calls?channel=aibot')).text).toContain('没有这样的调用')
  })

  test.each<[status: string, kind: string, deeds: string[]]>([
    ['failed', 'person', ['send-again']],
    ['failed', 'robot', []],
    ['retrying', 'person', ['send-again', 'give-up']],
    ['pending', 'mass', ['give-up']],
    ['waiting', 'person', ['give-up']],
    ['unknown', 'robot', ['send-again', 'mark-sent', 'give-up']],
    ['sending', 'person', []],
    ['sent', 'person', []],
  ])('a message that is %s (%s) offers %j and takes nothing else', async (status, kind, offered) => {
    const id = await storeMessage({ status, kind })
    const { text } = await admin.get(`/console/server/deliveries/${id}`)
    for (const deed of ['send-again', 'mark-sent', 'give-up']) {
      const path = `/console/server/deliveries/${id}/${deed}`
      expect([deed, text.includes(`action="${path}"`)]).toEqual([deed, offered.includes(deed)])
      if (offered.includes(deed)) continue
      const refused = await admin.post(path)
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('状态已经变了')])
    }
    expect((await messageOf(id))?.status).toBe(status)
  })

  test('sent again: at once, as new, and once', async () => {
    const id = await storeMessage({ error: '平台拒绝（60020）' })
    const path = `/console/server/deliveries/${id}/send-again`
    const both = await Promise.all([admin.post(path), admin.post(path)])
    expect(both.map(answer => answer.status).sort()).toEqual([303, 422])
    expect(await messageOf(id)).toMatchObject({ status: 'pending', attempts: 0, error: null })
    expect(await deedsOf('outgoing_message', id)).toEqual([
      ['message.retried', await personId(stage, '管系统'), { was: 'failed' }],
    ])
  })

  test('what is over, or too old, is not sent again', async () => {
    const hour = 3600_000
    for (const set of [
      { expiresAt: new Date(now().getTime() - 1) },
      { createdAt: new Date(now().getTime() - 80 * hour) },
      { textsSealed: '' },
    ]) {
      const id = await storeMessage(set)
      expect((await admin.post(`/console/server/deliveries/${id}/send-again`)).status).toBe(422)
      expect((await messageOf(id))?.status).toBe('failed')
    }
  })

  describe('a notice whose post in a group is of unknown fate', () => {
    let group: number
    let notice: number
    beforeAll(async () => {
      const { sim } = stage
      const gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
      const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
      await bindFirst(stage, gao, 'qingnong', '610800')
      await bindThrough(stage, gao, wang)
      group = groupNumber(
        await stage.say(wang.id, '建群 团青群 微信群 86人 镇川群 入群码 https://example.cn/q'),
      )
      await stage.say(gao.id, '通知 便民 羊绒收购点明日开秤')
      await stage.say(gao.id, '确认')
      await stage.settle()
      notice = Number((await rows<{ id: string }>(stage, 'select id from notices'))[0]?.id)
    })
    const unknownPost = async () => {
      const id = await storeMessage({
        status: 'unknown',
        kind: 'robot',
        purpose: 'notice',
        personId: null,
        groupId: group,
      })
      await stage.rt.db.delete(receipts)
      await stage.rt.db
        .update(deliveries)
        .set({ status: 'unknown', route: 'robot', outgoingId: id })
        .where(eq(deliveries.noticeId, notice))
      return id
    }
    const delivery = async () =>
      (await stage.rt.db.select().from(deliveries).where(eq(deliveries.noticeId, notice)))[0]

    test('is only sent again when somebody says that it has not arrived', async () => {
      const id = await unknownPost()
      const page = (await admin.get(`/console/server/deliveries/${id}`)).text
      expect(page).toMatch(/data-sure="群里确实没有这一条[^"]*"/)
      expect(page).toContain('群“镇川群”')
      const path = `/console/server/deliveries/${id}/send-again`
      const refused = await admin.post(path)
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('请先到群里看一眼')])
      expect((await messageOf(id))?.status).toBe('unknown')
      expect((await admin.post(path, { hasNotArrived: 'yes' })).status).toBe(303)
      expect((await messageOf(id))?.status).toBe('pending')
      expect((await delivery())?.status).toBe('pending')
    })

    test('is not sent again when its owner has said that it is there', async () => {
      const id = await unknownPost()
      await stage.rt.db.update(deliveries).set({ status: 'posted' }).where(eq(deliveries.noticeId, notice))
      const refused = await admin.post(`/console/server/deliveries/${id}/send-again`, {
        hasNotArrived: 'yes',
      })
      expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('不用再发')])
      expect((await messageOf(id))?.status).toBe('unknown')
    })

    test('is there, as somebody has seen: the receipt says who', async () => {
      const id = await unknownPost()
      expect((await admin.post(`/console/server/deliveries/${id}/mark-sent`)).status).toBe(303)
      expect((await messageOf(id))?.status).toBe('sent')
      expect((await delivery())?.status).toBe('posted')
      expect(await stage.rt.db.select().from(receipts)).toMatchObject([
        { kind: 'posted', personId: await personId(stage, '管系统'), proof: { saidBy: 'administrator' } },
      ])
    })

    test('is given up: its owner is asked to relay it', async () => {
      const id = await unknownPost()
      expect((await admin.post(`/console/server/deliveries/${id}/give-up`)).status).toBe(303)
      expect((await messageOf(id))?.status).toBe('failed')
      expect(await delivery()).toMatchObject({ route: 'relay', status: 'pending' })
      const relay = await messageOf((await delivery())?.outgoingId as number)
      expect(relay).toMatchObject({ purpose: 'relay', personId: await personId(stage, '王镇川') })
    })
  })

  test('calls that a message makes name it', async () => {
    await stage.rt.db.delete(channelLog)
    await stage.settle()
    const id = await storeMessage({ status: 'pending', attempts: 0 })
    await stage.settle()
    await expect
      .poll(async () => (await stage.rt.db.select().from(channelLog)).map(row => row.outgoingId))
      .toContain(id)
    expect((await admin.get(`/console/server/deliveries/${id}`)).text).toContain('/cgi-bin/message/send')
  })

  test('the settings in force, each with what it is for; secrets are only said to be there', async () => {
    const { text } = await admin.get('/console/server/settings')
    for (const name of settingNames) expect(text).toContain(`<code>${name}</code>`)
    expect(text).toContain('密钥')
    expect(text).toContain(`已设置（末 4 位 ${wecomSettings.secret.slice(-4)}）`)
    expect(text).toContain(wecomSettings.corpId)
    for (const secret of [
      wecomSettings.secret,
      wecomSettings.token,
      wecomSettings.aesKey,
      accountSettings.secret,
      accountSettings.aesKey,
      stage.rt.config.dataKey,
      stage.rt.config.dataKey.slice(-6),
    ])
      expect(text).not.toContain(secret)
    // what is missing is said first
    expect(text.indexOf('还缺什么')).toBeLessThan(text.indexOf('服务和数据'))
    expect(text).toMatch(/<code>PUBLIC_URL<\/code> 机器人发出的链接/)
  })

  test('every setting has its words and its place; a database address loses its password', () => {
    const sections = settingsInForce({
      ...stage.rt.config,
      databaseUrl: 'postgres://qunzhen:geheim@10.0.0.5:5432/qunzhen?password=geheim',
    })
    const all = sections.flatMap(section => section.settings)
    expect(all.map(setting => setting.name).sort()).toEqual([...settingNames].sort())
    for (const setting of all) expect([setting.name, setting.about.length > 3]).toEqual([setting.name, true])
    expect(JSON.stringify(all)).not.toContain('geheim')
    expect(all.find(each => each.name === 'DATABASE_URL')?.value).toBe(
      'postgres://qunzhen:***@10.0.0.5:5432/qunzhen',
    )
    const without = settingsInForce({ ...stage.rt.config, officialAccount: null, aibot: null })
    expect(without.find(section => section.title === '公众号')?.missing).toContain('没有配置公众号')
  })

  test('the self-check: nothing until it is asked for, then what to click', async () => {
    expect((await admin.get('/console/server/self-check')).text).toContain('还没有检查过')
    stage.sim.faults.on('ip-refused')
    const done = await admin.post('/console/server/self-check/run')
    stage.sim.faults.clear()
    expect(done.location).toBe('/console/server/self-check')
    const { text } = await admin.get('/console/server/self-check')
    for (const words of ['要修', '平台返回 60020', '平台看到的出口 IP 是 127.0.0.1', '企业可信 IP → 配置'])
      expect(text).toContain(words)
    for (const secret of [wecomSettings.secret, accountSettings.secret, stage.rt.config.dataKey])
      expect(text).not.toContain(secret)
  })
})
