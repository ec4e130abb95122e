import { randomBytes } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { describe, expect, test, vi } from 'vitest'
import { appendAudit } from '../../db/queries/platform.ts'
import { auditLog, updates as updatesTable } from '../../db/schema/index.ts'
import type { Update } from '../../server/channels/channel.ts'
import { DomainError } from '../../server/errors.ts'
import { inTransaction } from '../../server/runtime.ts'
import { createUpdateHandler, type Handler } from '../../server/updates.ts'
import { createVault } from '../../server/vault.ts'
import { cloneDatabase } from '../support/database.ts'
import { wecomSettings } from '../support/stage.ts'
import { type Door, gate, openDoorForTest, saidIn } from './http/door.ts'

const SORRY = '系统正忙，您的话已经收下，稍后会答复您。'
const LEFT_BEHIND_MS = 15_001

const echo: Handler['handle'] = async (_rt, update) =>
  update.kind === 'text' ? `您说：${update.text}` : null

/** Handles a text by leaving a mark in the database, so that one can count how often it took effect. */
const marking: Handler['handle'] = async (rt, update, id) => {
  await appendAudit(rt.db, {
    at: rt.clock.now(),
    actorId: null,
    action: 'test.mark',
    subjectKind: 'update',
    subjectId: id,
    details: {},
  })
  return echo(rt, update, id)
}
const marks = async (door: Door) => (await door.rt.db.select().from(auditLog)).length

const textOf = (text: string, address = 'zhangsan'): Update => ({
  channel: 'wecom',
  dedupeKey: `id:${randomBytes(4).readUInt32BE()}`,
  address,
  addressSpace: 'wecom',
  recipient: wecomSettings.corpId,
  at: new Date('2026-03-05T10:00:00+08:00'),
  kind: 'text',
  text,
})

/** What a process leaves that died between storing an update and handling it. */
async function storeOnly(door: Door, update: Update, payloadSealed?: string): Promise<number> {
  const [row] = await door.rt.db
    .insert(updatesTable)
    .values({
      channel: update.channel,
      dedupeKey: update.dedupeKey,
      kind: update.kind,
      payloadSealed: payloadSealed ?? door.rt.vault.seal(JSON.stringify(update)),
      receivedAt: door.clock.now(),
      status: 'received',
    })
    .returning({ id: updatesTable.id })
  return row?.id as number
}

/** After each failure an update is left four times as long, up to an hour and more. */
async function triesAgain(door: Door): Promise<number> {
  door.clock.advance(2 * 3_600_000)
  return door.updates.handleLeftBehind()
}

const statuses = async (door: Door) => (await door.rows()).map(({ status, attempts }) => [status, attempts])

describe('an update that was stored when the process died', () => {
  test('is handled once, and answered by a message', async () => {
    const door = await openDoorForTest({ handle: marking })
    await storeOnly(door, textOf('在吗'))
    expect(await door.updates.handleLeftBehind()).toBe(0)
    door.clock.advance(LEFT_BEHIND_MS)
    expect(await door.updates.handleLeftBehind()).toBe(1)
    expect(await door.updates.handleLeftBehind()).toBe(0)
    expect(await door.messages()).toEqual(['您说：在吗'])
    expect([await marks(door), await statuses(door)]).toEqual([1, [['handled', 0]]])
  })

  test('keeps its time and its kind', async () => {
    const seen: Update[] = []
    const door = await openDoorForTest({
      async handle(_rt, update) {
        seen.push(update)
        return null
      },
    })
    const update = textOf('在吗')
    await storeOnly(door, update)
    door.clock.advance(LEFT_BEHIND_MS)
    await door.updates.handleLeftBehind()
    expect(seen).toEqual([update])
  })

  test('takes effect once although several processes find it', async () => {
    const door = await openDoorForTest({ handle: marking })
    for (let count = 0; count < 10; count++) await storeOnly(door, textOf(`第 ${count}`))
    door.clock.advance(LEFT_BEHIND_MS)
    const processes = [door.updates, ...[1, 2].map(() => createUpdateHandler(door.rt, { handle: marking }))]
    await Promise.all(processes.map(process => process.handleLeftBehind()))
    expect(await marks(door)).toBe(10)
    expect((await door.messages()).toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `您说：第 ${i}`))
  })

  test('is taken up in the same run as all the others, one that cannot be read among them', async () => {
    const door = await openDoorForTest({ handle: marking })
    for (let count = 0; count < 60; count++)
      await storeOnly(door, textOf(`第 ${count}`, `of-${count % 7}`), count === 20 ? 'k1.broken' : undefined)
    door.clock.advance(LEFT_BEHIND_MS)
    expect(await door.updates.handleLeftBehind()).toBe(60)
    expect(await marks(door)).toBe(59)
    expect(await door.updates.handleLeftBehind()).toBe(0)
  })

  test('is left alone once the server stops', async () => {
    const door = await openDoorForTest({ handle: marking })
    await storeOnly(door, textOf('在吗'))
    door.clock.advance(LEFT_BEHIND_MS)
    expect(await door.updates.handleLeftBehind(AbortSignal.abort())).toBe(0)
    expect(await marks(door)).toBe(0)
  })

  test('answers a rule’s no to somebody whom nobody knows yet', async () => {
    const door = await openDoorForTest({
      async handle() {
        throw new DomainError('code.wrong', '绑定码不对')
      },
    })
    await storeOnly(door, textOf('绑定 00000000'))
    door.clock.advance(LEFT_BEHIND_MS)
    await door.updates.handleLeftBehind()
    expect(await door.messages()).toEqual(['绑定码不对'])
    expect(await statuses(door)).toEqual([['handled', 0]])
  })

  test('is answered at once when the platform asks again meanwhile: it was received', async () => {
    const door = await openDoorForTest({ handle: echo, deadlineMs: 150 })
    await storeOnly(door, { ...textOf('在吗'), dedupeKey: 'id:77' })
    expect(saidIn(await door.send(door.wecomText('在吗', { messageId: '77' })))).toBe(SORRY)
    door.clock.advance(LEFT_BEHIND_MS)
    await door.updates.handleLeftBehind()
    expect(await door.messages()).toEqual(['您说：在吗'])
  })
})

describe('an update whose handling fails', () => {
  test('undoes what it did, says sorry, is tried again and then answered by a message', async () => {
    let isBroken = true
    const door = await openDoorForTest({
      async handle(rt, update, id) {
        const reply = await marking(rt, update, id)
        if (isBroken) throw new TypeError('broken')
        return reply
      },
    })
    const sent = door.wecomText('在吗')
    expect(saidIn(await door.send(sent))).toBe(SORRY)
    expect([await marks(door), await statuses(door)]).toEqual([0, [['received', 1]]])
    // the platform asks again: the same answer, and no second try
    expect(saidIn(await door.send(sent))).toBe(SORRY)
    expect(await statuses(door)).toEqual([['received', 1]])
    isBroken = false
    await triesAgain(door)
    expect(await door.messages()).toEqual(['您说：在吗'])
    expect([await marks(door), await statuses(door)]).toEqual([1, [['handled', 1]]])
  })

  test('is set aside after five tries and blocks nobody', async () => {
    const handle = vi.fn<Handler['handle']>(async (rt, update, id) => {
      if (update.kind === 'text' && update.text === '毒') throw new Error('poison')
      return echo(rt, update, id)
    })
    const door = await openDoorForTest({ handle })
    await door.send(door.wecomText('毒'))
    await storeOnly(door, textOf('后面的'))
    door.clock.advance(LEFT_BEHIND_MS)
    for (let round = 0; round < 6; round++) await triesAgain(door)
    expect(
      handle.mock.calls.filter(([, update]) => update.kind === 'text' && update.text === '毒'),
    ).toHaveLength(5)
    expect(await statuses(door)).toEqual([
      ['set_aside', 5],
      ['handled', 0],
    ])
    expect(await door.messages()).toEqual(['您说：后面的'])
    expect(saidIn(await door.send(door.wecomText('新的')))).toBe('您说：新的')
  })

  test.each([
    ['was sealed with another key', () => createVault(randomBytes(32).toString('base64')).seal('{}')],
    ['is not sealed at all', () => 'garbage'],
  ])('because it %s is set aside, and blocks nobody', async (_name, payload) => {
    const door = await openDoorForTest({ handle: echo })
    await storeOnly(door, textOf('读不出'), payload())
    await storeOnly(door, textOf('后面的'))
    door.clock.advance(LEFT_BEHIND_MS)
    await door.updates.handleLeftBehind()
    expect(await door.messages()).toEqual(['您说：后面的'])
    for (let round = 0; round < 5; round++) await triesAgain(door)
    expect(await statuses(door)).toEqual([
      ['set_aside', 5],
      ['handled', 0],
    ])
  })

  test('in the database itself does so without showing any value', async () => {
    const door = await openDoorForTest({
      async handle(rt) {
        await rt.db.execute(sql`insert into identities (channel, address) values ('13800000006', null)`)
        return null
      },
    })
    expect(saidIn(await door.send(door.wecomText('在吗')))).toBe(SORRY)
    const [row] = await door.rows()
    expect(row?.error).toContain('23502')
    expect(door.logLines.join('') + row?.error).not.toContain('13800000006')
  })

  test('says nothing to the platform itself', async () => {
    const door = await openDoorForTest({
      async handle() {
        throw new Error('broken')
      },
    })
    const xml = `<xml><ToUserName>${wecomSettings.corpId}</ToUserName><FromUserName>sys</FromUserName><CreateTime>1772676000</CreateTime><MsgType>event</MsgType><Event>change_external_chat</Event><ChatId>wr1</ChatId><ChangeType>create</ChangeType></xml>`
    expect(await door.send(door.wecomText('', { xml }))).toMatchObject({ status: 200, body: '' })
    expect(await door.send(door.wecomText('', { xml }))).toMatchObject({ status: 200, body: '' })
  })
})

describe('a rule that says no', () => {
  test('undoes what was done and answers with its words, each time', async () => {
    const door = await openDoorForTest({
      async handle(rt, update, id) {
        await marking(rt, update, id)
        throw new DomainError('rights.missing', '您没有权限')
      },
    })
    const sent = door.wecomText('审核')
    expect([saidIn(await door.send(sent)), saidIn(await door.send(sent))]).toEqual([
      '您没有权限',
      '您没有权限',
    ])
    expect([await marks(door), await statuses(door)]).toEqual([0, [['handled', 0]]])
    expect(door.logLines.filter(line => line.includes('"level":50'))).toEqual([])
  })
})

describe('a late update', () => {
  test('is not taken for one that was left behind while its process still works on it', async () => {
    const { opened, open } = gate()
    const handle = vi.fn<Handler['handle']>(async (rt, update, id) => {
      await opened
      return marking(rt, update, id)
    })
    const door = await openDoorForTest({ handle, deadlineMs: 50 })
    expect(saidIn(await door.send(door.wecomText('慢')))).toBe('')
    door.clock.advance(LEFT_BEHIND_MS)
    expect(await door.updates.handleLeftBehind()).toBe(0)
    open()
    await vi.waitFor(async () => expect(await statuses(door)).toEqual([['handled', 0]]))
    expect(handle).toHaveBeenCalledTimes(1)
    expect([await marks(door), await door.messages()]).toEqual([1, ['您说：慢']])
  })

  test('that another process has taken over meanwhile takes effect and is answered once', async () => {
    const { opened, open } = gate()
    const house = { databaseUrl: await cloneDatabase(), dataKey: randomBytes(32).toString('base64') }
    const slow = await openDoorForTest({
      ...house,
      deadlineMs: 50,
      async handle(rt, update, id) {
        await opened
        return marking(rt, update, id)
      },
    })
    const other = await openDoorForTest({ ...house, handle: marking })
    await slow.send(slow.wecomText('慢'))
    other.clock.advance(LEFT_BEHIND_MS)
    expect(await other.updates.handleLeftBehind()).toBe(1)
    open()
    await vi.waitFor(() => expect(slow.logLines.join('')).toContain('a callback was answered late'))
    expect([await marks(slow), await statuses(slow)]).toEqual([1, [['handled', 0]]])
    expect([...(await slow.messages()), ...(await other.messages())]).toEqual(['您说：慢'])
  })

  test('and its answer are written together: a crash between them loses neither', async () => {
    const { opened, open } = gate()
    const door = await openDoorForTest({
      deadlineMs: 50,
      async handle(rt, update, id) {
        await opened
        return marking(rt, update, id)
      },
    })
    // no message can be written: the whole of the handling must be undone and kept for later
    await door.rt.db.execute(
      sql`alter table outgoing_messages add constraint broken check (purpose <> 'reply')`,
    )
    await door.send(door.wecomText('慢'))
    open()
    await vi.waitFor(async () => expect(await statuses(door)).toEqual([['received', 1]]))
    expect(await marks(door)).toBe(0)
    await door.rt.db.execute(sql`alter table outgoing_messages drop constraint broken`)
    await triesAgain(door)
    expect([await marks(door), await door.messages()]).toEqual([1, ['您说：慢']])
  })
})

describe('many at once', () => {
  test('are each stored, handled and answered once, repeats and all', async () => {
    const door = await openDoorForTest({ handle: marking })
    const sent = Array.from({ length: 60 }, (_, index) => door.wecomText(`第 ${index}`))
    const answers = await Promise.all([...sent, ...sent.toReversed(), ...sent].map(door.send))
    const expected = sent.map((_, index) => `您说：第 ${index}`)
    expect(answers.map(saidIn)).toEqual([...expected, ...expected.toReversed(), ...expected])
    expect([await marks(door), (await door.rows()).length]).toEqual([60, 60])
  })

  test('in any order are handled in theirs', async () => {
    const door = await openDoorForTest({ handle: echo })
    const [first, second] = [textOf('一'), textOf('二')]
    await storeOnly(door, second)
    await storeOnly(door, first)
    door.clock.advance(LEFT_BEHIND_MS)
    await door.updates.handleLeftBehind()
    expect((await door.messages()).toSorted()).toEqual(['您说：一', '您说：二'])
    expect(await door.rt.db.select().from(updatesTable).where(eq(updatesTable.status, 'received'))).toEqual(
      [],
    )
  })

  test('of one person are handled one after the other; a busy one keeps nobody waiting', async () => {
    const { opened, open } = gate()
    const order: string[] = []
    const door = await openDoorForTest({
      async handle(rt, update, id) {
        if (update.kind === 'text' && update.text.startsWith('慢')) await opened
        order.push(update.kind === 'text' ? update.text : '')
        return echo(rt, update, id)
      },
    })
    // more than there are connections
    const slow = Array.from({ length: 14 }, (_, index) => door.updates.accept(textOf(`慢 ${index}`, 'busy')))
    for (let index = 0; index < 20; index++)
      expect(await door.updates.accept(textOf(`快 ${index}`, `other-${index}`))).toMatchObject({
        reply: `您说：快 ${index}`,
      })
    open()
    expect((await Promise.all(slow)).map(answer => answer.reply)).toEqual(
      Array.from({ length: 14 }, (_, index) => `您说：慢 ${index}`),
    )
    expect(order.filter(text => text.startsWith('慢'))).toEqual(
      Array.from({ length: 14 }, (_, index) => `慢 ${index}`),
    )
  })

  test('an answer at once waits for what the same person said before', async () => {
    const { opened, open } = gate()
    const said: string[] = []
    const door = await openDoorForTest({
      answerAtOnce: update =>
        update.kind === 'text' && update.text === '任务' && said.length === 0
          ? { reply: '要先绑定' }
          : undefined,
      async handle(_rt, update) {
        if (update.kind === 'text' && update.text === '绑定') await opened
        said.push(update.kind === 'text' ? update.text : '')
        return said.join('，')
      },
    })
    const first = door.updates.accept(textOf('绑定', 'new'))
    await vi.waitFor(async () => expect(await statuses(door)).toHaveLength(1))
    const second = door.updates.accept(textOf('任务', 'new'))
    open()
    expect([(await first).reply, (await second).reply]).toEqual(['绑定', '绑定，任务'])
  })

  test('whose row a transaction holds are answered at once all the same', async () => {
    const door = await openDoorForTest({
      answerAtOnce: () => ({ reply: '在' }),
      handle: echo,
    })
    await door.updates.accept(textOf('一', 'held'))
    door.clock.advance(10 * 60_000)
    await inTransaction(door.rt, async tx => {
      await tx.db.execute(sql`select from identities where address = 'held' for update`)
      const answers = ['held', 'other', 'another'].map(address => door.updates.accept(textOf('二', address)))
      expect((await Promise.all(answers)).map(answer => answer.reply)).toEqual(['在', '在', '在'])
    })
  })
})
