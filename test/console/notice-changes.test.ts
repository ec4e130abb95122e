import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('a notice is corrected and withdrawn on the pages', () => {
  let stage: Stage
  let county: Visitor
  let owner: Visitor
  let lin: string

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, say } = stage
    const gao = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const officer = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    lin = officer.id
    const wang = sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
    await bindFirst(stage, gao, 'qingnong', '610800')
    await bindThrough(stage, gao, officer)
    await bindThrough(stage, officer, wang)
    await say(wang.id, '建群 团青群 微信群 86人 镇川青年之家 入群码 https://example.cn/1')
    await say(lin, '通知 政策 请于周五前报送名单。')
    await say(lin, '确认')
    await stage.settle()
    county = await signIn(stage, '林县书')
    owner = await signIn(stage, '王镇川')
  })
  afterAll(() => stage.close())

  const form = { body: '请于下周一前\r\n报送名单。', importance: 'same-day' }

  test('the links are for those who may send in the name of its unit', async () => {
    expect((await county.get('/console/notices/1')).text).toContain('href="/console/notices/1/correct"')
    expect((await owner.get('/console/notices/1')).text).not.toContain('/correct"')
    expect((await owner.post('/console/notices/1/correct', form)).status).toBe(404)
  })

  test('a faulty correction is shown again with what was written', async () => {
    for (const [body, fault] of [
      ['', '通知是空的'],
      ['请于周五前报送名单。', '和现在的一样'],
      ['请核对张三 61080220010307312X', '个人信息'],
    ] as const) {
      const answer = await county.post('/console/notices/1/correct/preview', { ...form, body })
      expect(answer.status).toBe(422)
      expect(answer.text).toContain(fault)
      expect(answer.text).toContain(`>${body}</textarea>`)
    }
  })

  test('the preview counts; the second confirmation sends, once', async () => {
    const preview = (await county.post('/console/notices/1/correct/preview', form)).text
    expect(preview).toMatch(/<b>1<\/b><span>个群收到过原通知/)
    expect(preview).toContain('（通知 1）有更正，请以这一条为准：\n请于下周一前\n报送名单。')
    expect(await rows(stage, 'select id from notices')).toHaveLength(1)
    const [one, two] = await Promise.all([
      county.post('/console/notices/1/correct', form),
      county.post('/console/notices/1/correct', form),
    ])
    expect([one?.location, two?.location]).toEqual(['/console/notices/2', '/console/notices/2'])
    const shown = (await county.get('/console/notices/1')).text
    expect(shown).toContain('报送名单。</p><details><summary>更正前的正文')
    expect((await owner.get('/me/notices/1')).text).toContain('请于下周一前')
    await stage.settle()
  })

  test('the address changes with it, or alone, and can be taken out', async () => {
    const pages = '/console/notices/1/correct'
    const same = { body: '请于下周一前\n报送名单。', importance: 'same-day', against: '2' }
    for (const [link, fault] of [
      ['example.cn', '链接不对'],
      ['', '正文和链接都和现在的一样'],
    ] as const) {
      const refused = await county.post(`${pages}/preview`, { ...same, link })
      expect([refused.status, refused.text.includes(fault)]).toEqual([422, true])
    }
    const link = 'https://example.cn/form'
    const preview = (await county.post(`${pages}/preview`, { ...same, link })).text
    expect(preview).toContain(`<input type="hidden" name="link" value="${link}">`)
    expect(preview).toContain('链接改过：原来没有链接')
    expect((await county.post(pages, { ...same, link })).location).toBe('/console/notices/3')
    expect((await county.post(pages, { ...same, link })).location).toBe('/console/notices/3')
    expect((await county.get(pages)).text).toContain(`name="link" type="text" value="${link}"`)
    expect((await owner.get('/me/notices/1')).text).toContain(`href="${link}"`)
    // in the chat it stays as it is, is changed, and is taken out
    expect(await stage.say(lin, '更正 1 请于下周二前报送名单。')).toContain(`链接：${link}`)
    expect(await stage.say(lin, '链接 javascript:alert(1)')).toContain('链接不对')
    expect(await stage.say(lin, '链接 无')).not.toContain('链接：')
    // a colleague corrects it meanwhile: who has not read that does not undo it
    const other = await county.post(pages, { ...same, body: '请于下周三前报送名单。', link, against: '3' })
    expect(other.location).toBe('/console/notices/4')
    expect(await stage.say(lin, '确认')).toContain('刚才又有了新的更正（通知 4')
    await stage.say(lin, '更正 1 请于下周四前报送名单。')
    await stage.say(lin, '链接 无')
    expect(await stage.say(lin, '确认')).toContain('编号 5')
    expect(await rows(stage, 'select id, link from notices order by id')).toEqual(
      [null, null, link, link, null].map((each, index) => ({ id: String(index + 1), link: each })),
    )
    expect(await stage.say(lin, '撤回 1 时间有变')).toMatch(/回复“确认”撤回，“取消”作废/)
    expect(await stage.say(lin, '紧急')).toContain('撤回也不能按紧急发')
    await stage.say(lin, '取消')
    await stage.settle()
  })

  test('written against an older text, beside an open one, or over another draft it does not go', async () => {
    const stale = await county.post('/console/notices/1/correct', { ...form, body: '改三', against: '1' })
    expect([stale.status, stale.text.includes('又有了新的更正（通知 5')]).toEqual([422, true])
    expect(stale.text).toContain('name="against" value="5"')
    expect(stale.text).toContain('>改三</textarea>')
    const unit = /name="unit"[\s\S]*?<option value="(\d+)"/.exec(
      (await county.get('/console/notices/new')).text,
    )?.[1]
    const plain = { unit: unit as string, body: '另一个通知。' }
    await county.post('/console/notices/drafts', plain)
    const [other] = await rows<{ id: string }>(stage, `select id from notice_drafts where status = 'draft'`)
    const draft = other?.id as string
    const over = await county.post('/console/notices/1/correct', {
      ...form,
      body: '改三',
      against: '5',
      draft,
    })
    expect([over.status, over.text.includes('不是这个通知的更正')]).toEqual([422, true])
    await rows(
      stage,
      `update notice_drafts set content = jsonb_set(content, '{audience}', '{"gotNotice": 1}') where id = ${draft}`,
    )
    const second = await county.post('/console/notices/1/correct', { ...form, body: '改三', against: '5' })
    expect([second.status, second.text.includes(`没发出的更正（草稿 ${draft}`)]).toEqual([422, true])
    const kept = await county.post('/console/notices/drafts', { ...plain, draft })
    expect([kept.status, kept.text.includes('请在更正的页面上改')]).toEqual([422, true])
    expect(await rows(stage, 'select id from notices')).toHaveLength(5)
  })

  test('withdrawing says what it will do, does it once, and shows what became of the messages', async () => {
    const refused = await county.post('/console/notices/1/withdraw/preview', {
      reason: ' ',
      importance: 'urgent',
    })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('请写明为什么撤回')
    // the page offers nothing that it would not accept
    expect(refused.text).not.toContain('value="urgent"')
    expect(refused.text).toMatch(/<input id="f-reason" name="reason" type="text"[^>]*maxlength="40"/)
    const urgent = { reason: '会议取消', importance: 'urgent' }
    const tooMuch = await county.post('/console/notices/1/withdraw', urgent)
    expect([tooMuch.status, tooMuch.text.includes('撤回也不能按紧急发')]).toEqual([422, true])
    const written = { reason: '会议取消', importance: 'normal' }
    const preview = (await county.post('/console/notices/1/withdraw/preview', written)).text
    expect(preview).toContain('原因：会议取消。')
    expect(preview).toMatch(/<b>1<\/b><span>条应用消息还能收回/)
    // by the number of the correction it is the same notice
    const answers = await Promise.all([
      county.post('/console/notices/2/withdraw', written),
      county.post('/console/notices/1/withdraw', written),
    ])
    expect(answers.map(answer => answer.status).sort()).toEqual([303, expect.any(Number)])
    await stage.settle()
    expect(await rows(stage, `select id from notices where kind = 'withdrawal'`)).toHaveLength(1)
    const shown = (await county.get('/console/notices/1/withdraw')).text
    expect(shown).toContain('会议取消')
    expect(shown).toContain('已收回，告诉了群主不用转')
    expect((await county.get('/console/notices/1/correct')).text).toContain('不能再更正或撤回')
    expect((await county.post('/console/notices/1/correct', form)).status).toBe(422)
    expect((await county.get('/console/notices/6/withdraw')).text).toContain('本身就是撤回通知')
    expect((await county.get('/console/audit')).text).toContain('撤回通知，理由：会议取消')
  })
})
