import { describe, expect, test } from 'vitest'
import { requeueWaiting, updateOutgoing } from '../../../../db/queries/notices.ts'
import { wasSummoned } from '../../../../db/queries/outgoing.ts'
import { deliveries, notices } from '../../../../db/schema/index.ts'
import { type Deed, type Ground, openGround } from './ground.ts'

const MINUTE = 60_000
const wang = { channel: 'official-account', address: 'o-wang' } as const
const outcome = (result: 'delivered' | 'blocked' | 'failed', messageId = '4561255354251345929'): Deed => ({
  kind: 'template_result',
  messageId,
  result,
  reason: '',
})

/** 王镇川 has been called by a template message to fetch what waits for them. */
async function aSummons(ground: Ground, by: 'person' | 'account' = 'person') {
  const personId = await ground.aPerson('王镇川')
  const identityId = await ground.anAccount({ ...wang, personId })
  const who = by === 'person' ? { personId } : { identityId }
  const id = await ground.aMessage({
    ...who,
    status: 'waiting',
    platformId: '4561255354251345929',
    attempts: 1,
    sentAt: ground.clock.now(),
  })
  return { id, personId, identityId }
}

/** 王镇川 has been called to fetch a notice. */
async function aNotice(ground: Ground) {
  const summons = await aSummons(ground)
  const now = ground.clock.now()
  await updateOutgoing(ground.rt.db, summons.id, { status: 'sent', purpose: 'relay' })
  const groupId = await ground.aGroup({ ownerId: summons.personId })
  const [notice] = await ground.rt.db
    .insert(notices)
    .values({
      programme: 'qingnong',
      unitId: ground.unitId,
      authorId: summons.personId,
      body: '明天停电。',
      category: 'convenience',
      issuedAt: now,
      deadlineAt: new Date(now.getTime() + 24 * 60 * MINUTE),
    })
    .returning({ id: notices.id })
  await ground.rt.db.insert(deliveries).values({
    noticeId: notice?.id as number,
    groupId,
    route: 'relay',
    ownerId: summons.personId,
    outgoingId: summons.id,
    status: 'sent',
    updatedAt: now,
  })
  return summons
}

describe('a template message', () => {
  test.each(['person', 'account'] as const)('to a %s arrived: nothing changes', async by => {
    const ground = await openGround()
    const { id } = await aSummons(ground, by)
    const before = await ground.message(id)
    expect(await ground.happens(wang, outcome('delivered'))).toBe(true)
    expect(await ground.message(id)).toEqual(before)
  })

  test.each(['person', 'account'] as const)(
    'to a %s is refused: the text goes on waiting, with the reason',
    async by => {
      const ground = await openGround()
      const { id } = await aSummons(ground, by)
      for (let time = 0; time < 2; time++) await ground.happens(wang, outcome('blocked'))
      expect(await ground.message(id)).toMatchObject({ status: 'waiting', error: '对方拒收公众号的模板消息' })
      expect(await ground.alarmed()).toEqual([])
    },
  )

  test('for a notice is refused: it counts as not delivered, and the owner is still asked', async () => {
    const ground = await openGround()
    const { id } = await aNotice(ground)
    for (let time = 0; time < 2; time++) await ground.happens(wang, outcome('blocked'))
    expect(await ground.message(id)).toMatchObject({ status: 'failed', error: '对方拒收公众号的模板消息' })
    expect(await ground.rt.db.select().from(deliveries)).toMatchObject([{ status: 'failed', route: 'relay' }])
  })

  test('for a notice that was brought on meanwhile is refused: it was brought on', async () => {
    const ground = await openGround()
    const { id } = await aNotice(ground)
    await ground.rt.db.update(deliveries).set({ status: 'posted' })
    await ground.happens(wang, outcome('blocked'))
    expect(await ground.message(id)).toMatchObject({ status: 'sent', error: null })
  })

  test.each([
    ['a text', aSummons, { status: 'waiting', error: '公众号模板消息两次发送失败' }],
    ['a notice', aNotice, { status: 'failed', error: '公众号模板消息两次发送失败' }],
  ])(
    'for %s failed: sent once more, later; then the reason stands and operators know',
    async (_for, make, end) => {
      const ground = await openGround()
      const { id } = await make(ground)
      const { status } = (await ground.message(id)) as { status: string }
      for (let time = 0; time < 2; time++) await ground.happens(wang, outcome('failed'))
      expect(await ground.message(id)).toMatchObject({
        status: 'retrying',
        nextAttemptAt: new Date(ground.clock.now().getTime() + 10 * MINUTE),
      })
      ground.clock.advance(10 * MINUTE)
      // what the job does that sends it: the platform gives a new id
      await updateOutgoing(ground.rt.db, id, { status, platformId: '88', attempts: 2 })
      await ground.happens(wang, outcome('failed'))
      expect(await ground.message(id)).toMatchObject({ status, error: null })
      for (let time = 0; time < 2; time++) await ground.happens(wang, outcome('failed', '88'))
      expect(await ground.message(id)).toMatchObject(end)
      const alarms = await ground.alarmed()
      expect(alarms).toMatchObject([{ cause: 'template:failed' }])
      expect(alarms[0]?.words).toContain('公众平台')
    },
  )

  test('failed: what came with the same call does not keep the next one back', async () => {
    const ground = await openGround()
    const { personId, identityId } = await aSummons(ground)
    const calledAt = ground.clock.now()
    const along = await ground.aMessage({ personId, sentAt: calledAt, platformId: '' })
    const others = await ground.aMessage({ personId: await ground.aPerson('李镇川'), sentAt: calledAt })
    const since = new Date(0)
    await ground.happens(wang, outcome('failed'))
    expect(await wasSummoned(ground.rt.db, { personId, identityId }, since)).toBe(false)
    expect(await ground.message(along)).toMatchObject({ status: 'waiting' })
    expect(await ground.message(others)).toMatchObject({ status: 'waiting', sentAt: calledAt })
  })

  test('failed, and the person has written meanwhile: they have their text', async () => {
    const ground = await openGround()
    const { id, identityId, personId } = await aSummons(ground)
    await requeueWaiting(ground.rt.db, { identityId, personId }, ground.clock.now())
    for (const result of ['failed', 'blocked'] as const) await ground.happens(wang, outcome(result))
    expect(await ground.message(id)).toMatchObject({ status: 'pending', error: null })
  })

  test.each([
    ['of an id that is not ours', wang, '999'],
    ['of somebody else', { ...wang, address: 'o-li' }, '4561255354251345929'],
    ['of the same id on another platform', { ...wang, channel: 'wecom' as const }, '4561255354251345929'],
  ])('%s: nothing', async (_whose, base, messageId) => {
    const ground = await openGround()
    const { id } = await aSummons(ground)
    const before = await ground.message(id)
    await ground.anAccount({ channel: 'official-account', address: 'o-li' })
    for (const result of ['failed', 'blocked'] as const)
      await ground.happens(base, outcome(result, messageId))
    expect(await ground.message(id)).toEqual(before)
  })
})

describe('what the platform says of jobs and of the app', () => {
  test.each([
    ['0', 0],
    ['', 0],
    [' 0 ', 0],
    ['60011', 1],
    ['-1', 1],
    ['unknown', 1],
  ])('a job that ended with “%s”', async (errcode, alarms) => {
    const ground = await openGround()
    const job: Deed = { kind: 'job', job: 'sync_user', jobId: 'J1', errcode, message: '张三 13800000000' }
    await ground.happens({}, job)
    const raised = await ground.alarmed()
    expect(raised).toHaveLength(alarms)
    expect(JSON.stringify([raised, ground.logged])).not.toContain('13800000000')
    if (alarms > 0) expect(raised[0]?.words).toContain(errcode)
  })

  test.each([
    ['a\u001b[31m', '9\u001b]0;x\u00079', 'a31m', '90x9'],
    ['名字\r\n', '错误', 'unknown', 'unknown'],
    ['x'.repeat(500), '1'.repeat(500), 'x'.repeat(40), '1'.repeat(40)],
  ])('a job’s name and code are bare words in an alarm: %j', async (name, errcode, job, code) => {
    const ground = await openGround()
    await ground.happens({}, { kind: 'job', job: name, jobId: 'J1', errcode, message: '' })
    expect(await ground.alarmed()).toMatchObject([
      {
        cause: `job:wecom:${job}`,
        words: expect.stringContaining(`异步任务 ${job} 没有完成（错误码 ${code}）`),
      },
    ])
  })

  test.each([
    ['inactive_alert', '从9月14日 09:00起'],
    ['closed_inactive', '重新启用'],
    ['reopened', '是否答复'],
    ['low_active_alert', '从9月14日 09:00起'],
    ['low_active', '恢复办法'],
    ['active_restored', '是否答复'],
  ] as const)('the app: %s', async (state, words) => {
    const ground = await openGround()
    const effectAt = state.endsWith('alert') ? new Date('2026-09-14T09:00:00+08:00') : null
    for (let time = 0; time < 2; time++) await ground.happens({}, { kind: 'app_state', state, effectAt })
    const raised = await ground.alarmed()
    expect(raised).toMatchObject([{ cause: `app:wecom:${state}`, times: 2, closedAt: null }])
    expect(raised[0]?.words).toContain(words)
  })

  test('the app is open again: what warned of it is over, unless it came later', async () => {
    const ground = await openGround()
    const closed = { kind: 'app_state', state: 'closed_inactive', effectAt: null } as const
    const reopened = { kind: 'app_state', state: 'reopened', effectAt: null } as const
    const stillOpen = async () =>
      (await ground.alarmed()).filter(alarm => alarm.closedAt === null).map(alarm => alarm.cause)
    await ground.happens({}, closed)
    await ground.happens({}, { kind: 'app_state', state: 'low_active', effectAt: null })
    ground.clock.advance(MINUTE)
    const reopenedAt = ground.clock.now()
    await ground.happens({}, reopened)
    expect(await stillOpen()).toEqual(['app:wecom:low_active', 'app:wecom:reopened'])
    ground.clock.advance(MINUTE)
    await ground.happens({}, closed)
    await ground.happens({ at: reopenedAt }, reopened)
    expect(await stillOpen()).toContain('app:wecom:closed_inactive')
  })

  test.each([
    ['open_approval_change', '审批'],
    ['share_chain_change', '共享范围'],
    ['change_chain', '成员企业'],
  ] as const)('the corp: %s', async (event, words) => {
    const ground = await openGround()
    await ground.happens({}, { kind: 'corp_change', event })
    const raised = await ground.alarmed()
    expect(raised).toMatchObject([{ cause: `corp:wecom:${event}` }])
    expect(raised[0]?.words).toContain(words)
  })

  test('a mass message that was not sent is in the log as a warning', async () => {
    const ground = await openGround()
    const mass = { messageId: '7', total: 9, filtered: 9, sent: 0, failed: 9 }
    await ground.happens(wang, { kind: 'mass_result', ...mass, isSent: false, status: 'err(10001)' })
    expect(ground.logged).toMatchObject([{ level: 40, messageId: '7', status: 'err(10001)' }])
    expect(JSON.stringify(ground.logged)).not.toContain('o-wang')
  })
})
