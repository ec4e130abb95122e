import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimGroup, SimPerson } from '../../scripts/simulator/index.ts'
import { inTransaction } from '../../server/runtime.ts'
import { bindFirst, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** The officers of Yulin use the chat robot (智能机器人) alone and in an internal group. */
describe('the chat robot', () => {
  let stage: Stage
  let officer: SimPerson
  let secretary: SimPerson
  let group: SimGroup

  beforeAll(async () => {
    stage = await openStage({ env: { CALLBACK_DEADLINE_MS: '400' } })
    await fillMatrix(stage)
    officer = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    secretary = stage.sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    group = stage.sim.createGroup({
      kind: 'internal',
      name: '榆林团干部',
      ownerId: officer.id,
      memberIds: [secretary.id],
    })
  })
  afterAll(() => stage.close())

  const say = async (person: SimPerson, text: string) =>
    (await stage.sim.aibot.say(person.id, text)).map(message => message.text).join('\n')
  const mention = async (person: SimPerson, text: string) =>
    (await stage.sim.aibot.mention(group.id, person.id, text)).map(message => message.text).join('\n')

  test('its address is verified', async () => {
    expect(await stage.sim.aibot.verifyUrl()).toBe(true)
  })

  test('greets whoever opens it', async () => {
    const [greeting] = await stage.sim.aibot.enterChat(officer.id)
    expect(greeting?.text).toContain('绑定 绑定码')
  })

  test('knows the members that the app knows', async () => {
    await bindFirst(stage, officer, 'qingnong', '610800')
    expect(await say(officer, '你好')).toContain('高市书，您好')
  })

  test('gives a late answer when the platform asks again, once and not as a message besides', async () => {
    const before = stage.received(officer.id).length
    // somebody holds what the answer needs for longer than the callback may take
    let answer = Promise.resolve('')
    await inTransaction(stage.rt, async tx => {
      await tx.db.execute(sql`lock table binding_codes in exclusive mode`)
      answer = say(officer, '发码 王镇川')
      await expect
        .poll(() => stage.sim.aibot.chat(officer.id).at(-1)?.text, { timeout: 5000 })
        .toContain('正在办理')
    })
    expect(await answer).toMatch(/绑定码：[0-9A-Z]{8}/)
    await stage.settle()
    expect(stage.received(officer.id)).toHaveLength(before)
    const kept = await rows<{ status: string }>(stage, "select status from updates where channel = 'aibot'")
    expect(new Set(kept.map(row => row.status))).toEqual(new Set(['handled']))
  })

  test('shows nothing of anybody in a group', async () => {
    for (const text of ['发码 王镇川', '我的群', '待审', '月报'])
      expect(await mention(officer, text)).toContain('单聊')
    expect(await mention(officer, '帮助')).toContain('【通知】')
    expect(group.posts.map(post => post.text).join()).not.toMatch(/绑定码：[0-9A-Z]{8}|139/)
  })

  test('takes 转 and 收 in a group, and names neither groups nor notices there', async () => {
    const made = await stage.say(officer.id, '建群 市级青农群 微信群 26人 青农榆林 入群码 拉人')
    expect(made).toContain('青农榆林')
    const details = /青农榆林|通知 ?\d|\d+ 个/
    for (const text of ['转', '收 99', '转 99'])
      expect(await mention(officer, text)).toBe('请在与我的单聊里回复。')
    for (const word of ['停电', '停水']) {
      await stage.say(officer.id, `通知 便民 明天${word}。`)
      await stage.say(officer.id, '确认')
    }
    const open = await rows<{ id: number }>(
      stage,
      "select distinct notice_id::int as id from deliveries where status <> 'posted' order by 1",
    )
    expect(open).toHaveLength(2)
    // which of the two is meant is asked where nobody else reads it
    for (const text of ['转', '收']) expect(await mention(officer, text)).toBe('请在与我的单聊里回复。')
    for (const text of [`收 ${open[0]?.id}`, `转 ${open[0]?.id}`, '转']) {
      const answer = await mention(officer, text)
      expect(answer).toContain('收到，已登记')
      expect(answer).not.toMatch(details)
    }
    expect(await rows(stage, "select 1 from deliveries where status <> 'posted'")).toEqual([])
  })

  test('an answer whose process died comes by the address that the message brought', async () => {
    const { rt, updates } = stage
    await stage.sim.aibot.say(officer.id, '我的群')
    const [row] = await rows<{ id: string; payload_sealed: string }>(
      stage,
      "select id, payload_sealed from updates where channel = 'aibot' order by id desc limit 1",
    )
    const payload = JSON.parse(rt.vault.open(row?.payload_sealed as string))
    expect(payload.responseUrl).toContain('/cgi-bin/aibot/response')
    // as a crash leaves it: stored, and nobody at work on it
    await rows(stage, `update updates set status = 'received', reply_sealed = null where id = ${row?.id}`)
    stage.clock.advance(16_000)
    expect(await updates.handleLeftBehind()).toBe(1)
    await stage.settle()
    expect(stage.sim.aibot.chat(officer.id).at(-1)?.text).toContain('群')
    expect(
      await rows(stage, "select 1 from outgoing_messages where kind = 'response' and status = 'sent'"),
    ).toHaveLength(1)
  })
})
