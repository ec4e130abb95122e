import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { type Answer, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const jpg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('a small picture')])
const pdf = Buffer.from('%PDF-1.7 a small document')
const body = '各乡镇团委：请于本周五前报送青年创业贷款名单。'

describe('a notice is written on a page', () => {
  let stage: Stage
  const people: Record<'city' | 'county' | 'wang' | 'chen' | 'quan' | 'zhou', SimPerson> = {} as never
  const units: Record<string, number> = {}
  let city: Visitor
  let county: Visitor
  let other: Visitor
  let owner: Visitor

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, say } = stage
    people.city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.quan = sim.addPerson({ name: '全国办', wecomUserId: 'quan' })
    people.chen = sim.addPerson({ name: '陈省办', wecomUserId: 'chen' })
    people.zhou = sim.addPerson({ name: '周支书', openId: 'o-zhou' })
    await bindFirst(stage, people.city, 'qingnong', '610800')
    await bindThrough(stage, people.city, people.county)
    await bindThrough(stage, people.county, people.wang)
    await bindFirst(stage, people.quan, 'xibu', '000000')
    await bindThrough(stage, people.quan, people.chen)
    await bindThrough(stage, people.chen, people.zhou)
    await say(people.wang.id, '建群 团青群 微信群 86人 镇川青年之家 入群码 拉人')
    await say(people.county.id, '建群 县级青农群 微信群 12人 青农榆阳 入群码 拉人')
    await say(people.zhou.id, '建群 团支部群 微信群 30人 沙柳支部群 入群码 拉人')
    await stage.settle()
    for (const { id, code, programme } of await rows<{ id: string; code: string; programme: string }>(
      stage,
      'select id, code, programme from units',
    ))
      units[`${programme} ${code}`] = Number(id)
    city = await signIn(stage, '高市书')
    county = await signIn(stage, '林县书')
    other = await signIn(stage, '丁县书')
    owner = await signIn(stage, '王镇川')
  })
  afterAll(() => stage.close())

  const yuyang = () => ({ unit: String(units['qingnong 610802']), body })
  const count = async (from: string) =>
    Number((await rows<{ n: string }>(stage, `select count(*) as n from ${from}`))[0]?.n)
  const draftIn = ({ text }: Answer) => /name="draft" value="(\d+)"/.exec(text)?.[1] as string
  const tick = (name: string, value: string | number, words: string) =>
    `<label><input type="checkbox" name="${name}" value="${value}" checked>${words}`

  test('what is wrong is said, and words, choices and files are still there', async () => {
    const asked = {
      ...yuyang(),
      link: 'example.cn',
      ask: 'number',
      question: '多少人',
      measure: '人',
      level: 'township',
    }
    const faulty = await county.upload(
      '/console/notices/preview',
      { field: 'files', name: '../海报.jpg', bytes: jpg },
      asked,
    )
    expect(faulty.status).toBe(422)
    expect(faulty.text).toContain('链接不对')
    expect(faulty.text).toContain(`>${body}</textarea>`)
    expect(faulty.text).toContain(tick('level', 'township', '乡镇'))
    expect(faulty.text).toContain('value="多少人"')
    expect(faulty.text).toContain('<option value="number" selected>')
    expect(faulty.text).toContain('去掉 海报.jpg')
    const draft = draftIn(faulty)
    // another file, and one that is none, leave the first where it is
    for (const [name, bytes, fault] of [
      ['病毒.exe', Buffer.from('MZ......'), '不能随通知发'],
      ['大.jpg', Buffer.concat([jpg, Buffer.alloc(2 * 1024 * 1024)]), '每张至多 2 MB'],
      ['太大.pdf', Buffer.concat([pdf, Buffer.alloc(20 * 1024 * 1024)]), '每个至多 20 MB'],
    ] as const) {
      const refused = await county.upload(
        '/console/notices/preview',
        { field: 'files', name, bytes },
        { ...asked, draft },
      )
      expect([refused.status, refused.text.includes(fault), refused.text.includes('去掉 海报.jpg')]).toEqual([
        422,
        true,
        true,
      ])
    }
    expect(await count('notice_files')).toBe(1)
    // what may be classified is not even kept
    const secret = { ...asked, draft, body: '【机密】省委组织部拟任人选名单，内部掌握，请勿外传' }
    for (const path of ['/console/notices/preview', '/console/notices/drafts'])
      expect((await county.post(path, secret)).status).toBe(422)
    expect(await count(`notice_drafts where content::text like '%机密%'`)).toBe(0)

    const { location } = await county.upload(
      '/console/notices/preview',
      { field: 'files', name: '名单.pdf', bytes: pdf },
      { ...asked, draft, link: 'https://example.cn/n/1' },
    )
    expect(location).toBe(`/console/notices/drafts/${draft}`)
    const preview = await county.get(location as string)
    expect(preview.text).toMatch(/<b>1<\/b><span>个群会收到/)
    expect(preview.text).toMatch(/<b>86<\/b><span>人在这些群里/)
    expect(preview.text).toContain('乡镇的群')
    expect(preview.text).toContain('名单.pdf')
    expect(preview.text).toMatch(/群主转发（1 个群）[\s\S]*https:\/\/example\.cn\/n\/1[\s\S]*请答复：多少人/)
    expect(await count('notices')).toBe(0)
  })

  test('units are found by name without a script, and stay ticked', async () => {
    const found = await county.post('/console/notices/new', { ...yuyang(), search: '镇川' })
    expect(found.status).toBe(200)
    const id = units['qingnong 610802101'] as number
    expect(found.text).toContain(`name="under" value="${id}">镇川镇`)
    const none = await county.post('/console/notices/new', { ...yuyang(), search: '定边', under: String(id) })
    expect(none.text).toContain('没有名称带“定边”的单位')
    expect(none.text).toContain(tick('under', id, '镇川镇'))
    const { location } = await county.post('/console/notices/preview', { ...yuyang(), under: String(id) })
    expect((await county.get(location as string)).text).toContain('只发镇川镇和下级')
    // a unit beside one's own is no audience
    const beside = String(units['qingnong 610825'])
    const refused = await county.post('/console/notices/preview', { ...yuyang(), under: beside })
    expect([refused.status, refused.text.includes('只能发给榆阳区和它的下级')]).toEqual([422, true])
  })

  test('files are for those who may see the draft, and go with the notice when it goes', async () => {
    const [{ draft, picture } = { draft: '', picture: '' }] = await rows<{ draft: string; picture: string }>(
      stage,
      `select draft_id as draft, id as picture from notice_files where kind = 'picture'`,
    )
    const path = `/console/notices/drafts/${draft}`
    const file = await county.get(`${path}/files/${picture}`)
    expect([file.status, file.headers.get('content-type'), file.headers.get('content-disposition')]).toEqual([
      200,
      'image/jpeg',
      `attachment; filename*=UTF-8''${encodeURIComponent('海报.jpg')}`,
    ])
    expect((await city.get(`${path}/files/${picture}`)).status).toBe(200)
    for (const visitor of [other, owner]) {
      expect((await visitor.get(path)).status).toBe(404)
      expect((await visitor.get(`${path}/files/${picture}`)).status).toBe(404)
      expect((await visitor.post('/console/notices', { draft })).status).toBe(404)
    }
    expect(await rows(stage, `select 1 from notice_files where bytes_sealed like '%picture%'`)).toEqual([])
    // a PDF is not read by the system: its writer vouches for it
    expect((await county.get(path)).text).toMatch(
      /name="filesRead" value="yes" required> 附件“[^”]*\.pdf”我看过/,
    )
    const chosen = { draft, category: '政策法规', importance: 'same-day' }
    const unread = await county.post('/console/notices', chosen)
    expect([unread.status, unread.text.includes('里的字系统读不到')]).toEqual([422, true])
    expect(await stage.say(people.county.id, `草稿 ${draft} 发出`)).toContain(
      '在网页上确认没有涉密内容和个人信息',
    )
    const answers = await Promise.all(
      [1, 2].map(() => county.post('/console/notices', { ...chosen, filesRead: 'yes' })),
    )
    expect(answers.map(answer => answer.location)).toEqual(['/console/notices/1', '/console/notices/1'])
    expect(await rows(stage, 'select importance, link, ask, audience from notices')).toEqual([
      {
        importance: 'same-day',
        link: 'https://example.cn/n/1',
        ask: { kind: 'number', question: '多少人', measure: '人' },
        audience: { levels: ['township'] },
      },
    ])
    await stage.settle()
    expect((await county.get(`/console/notices/1/files/${picture}`)).status).toBe(200)
    expect((await owner.get(`/me/notices/1/files/${picture}`)).status).toBe(200)
    expect((await other.get(`/console/notices/1/files/${picture}`)).status).toBe(404)
    expect((await county.get(`/console/notices/1/files/999`)).status).toBe(404)
    expect((await county.get(path)).text).toContain('已经发出')
  })

  test('a draft is kept, mended by the office above, and dropped with its files', async () => {
    const kept = await county.upload(
      '/console/notices/drafts',
      { field: 'files', name: '海报.jpg', bytes: jpg },
      { ...yuyang(), body: '' },
    )
    expect(kept.location).toBe('/console/notices/drafts')
    const list = await county.get('/console/notices/drafts')
    const id = /drafts\/(\d+)">（还没有正文）/.exec(list.text)?.[1] as string
    const unfinished = await county.get(`/console/notices/drafts/${id}`)
    expect(unfinished.text).toContain('通知是空的')
    expect(unfinished.text).not.toContain('确认发出')
    expect((await county.post('/console/notices', { draft: id })).status).toBe(422)
    const { location } = await city.post('/console/notices/preview', { ...yuyang(), draft: id })
    expect(location).toBe(`/console/notices/drafts/${id}`)
    await stage.settle()
    expect(stage.received(people.county.id).at(-1)).toContain('由高市书接着办了')
    // whoever puts a file to it answers for it from then on; a link that runs something is not kept
    await county.upload(
      '/console/notices/drafts',
      { field: 'files', name: '海.jpg', bytes: jpg },
      {
        ...yuyang(),
        draft: id,
        link: 'javascript:alert(1)',
      },
    )
    expect(
      await rows(
        stage,
        `select p.name, content->'link' as link from notice_drafts d join persons p on p.id = d.author_id where d.id = ${id}`,
      ),
    ).toEqual([{ name: '林县书', link: null }])
    expect((await city.post(`/console/notices/drafts/${id}/drop`)).location).toBe('/console/notices/drafts')
    expect(await count(`notice_files where draft_id = ${id}`)).toBe(0)
    expect((await city.get(`/console/notices/drafts/${id}`)).status).toBe(404)
  })

  test('a time in the future waits; one in the past is a fault', async () => {
    const unreal = await county.post('/console/notices/preview', { ...yuyang(), sendAt: '2026-11-31T09:00' })
    expect(unreal.status).toBe(422)
    expect(unreal.text).toContain('发出的时间写得不对')
    const past = await county.post('/console/notices/preview', { ...yuyang(), sendAt: '2026-09-07T08:59' })
    expect([past.status, past.text.includes('定的时间已经过了')]).toEqual([422, true])
    expect(past.text).toContain('value="2026-09-07T08:59"')
    // issued at nine in the evening, 当天 is the next day
    const late = await county.post('/console/notices/preview', {
      ...yuyang(),
      sendAt: '2026-09-08T21:00',
      importance: 'same-day',
    })
    const preview = await county.get(late.location as string)
    expect(preview.text).toContain('这时已过 20:00')
    expect(preview.text).toContain('当天：9月9日 12:00前')
    const draft = late.location?.split('/').at(-1) as string
    expect((await county.post('/console/notices', { draft })).location).toBe(late.location)
    expect((await city.get('/console/notices/drafts')).text).toContain('9月8日 21:00')
    expect(await count(`notice_drafts where status = 'ready'`)).toBe(1)
    // changed, it has to be submitted again
    await county.post('/console/notices/drafts', { ...yuyang(), draft })
    expect(await count(`notice_drafts where status = 'ready'`)).toBe(0)
  })

  test('the second person sees the whole, and agrees to what they have seen', async () => {
    const [chen, quan, branch] = [
      await signIn(stage, '陈省办'),
      await signIn(stage, '全国办'),
      await signIn(stage, '周支书'),
    ]
    const written = { unit: String(units['xibu 610000']), body: '请各市报送志愿者在岗情况。' }
    const { location } = await chen.post('/console/notices/preview', written)
    const path = location as string
    const draft = path.split('/').at(-1) as string
    expect((await chen.get(path)).text).toMatch(
      /省级以上单位发的通知要有第二人审核，提交后请全国全国办看[\s\S]*<button>提交审核/,
    )
    const submitted = await chen.post('/console/notices', { draft })
    expect([submitted.location, await count(`notices where programme = 'xibu'`)]).toEqual([path, 0])
    expect((await chen.get(path)).text).not.toContain('/approve')
    expect((await chen.post(`${path}/approve`)).status).toBe(422)
    expect((await branch.post(`${path}/approve`)).status).toBe(404)

    expect((await quan.get('/console/notices/drafts')).text).toMatch(/等您审核[\s\S]*请各市报送/)
    const seen = /name="seen" value="([a-z]+)"/.exec((await quan.get(path)).text)?.[1] as string
    // meanwhile the author puts other words into it, and submits it again
    stage.clock.advance(60_000)
    await chen.post('/console/notices/preview', { ...written, draft, body: '请各市报送志愿者离岗情况。' })
    await chen.post('/console/notices', { draft })
    const stale = await quan.post(`${path}/approve`, { seen })
    expect([stale.status, stale.text.includes('刚才又改过了')]).toEqual([422, true])
    expect(stale.text).toContain('离岗情况')
    expect((await quan.post(`${path}/approve`)).status).toBe(422)
    // a file on what waits makes it a draft again, and it is submitted anew
    const filed = { ...written, draft, body: '请各市报送志愿者离岗情况。' }
    await chen.upload('/console/notices/preview', { field: 'files', name: '表.pdf', bytes: pdf }, filed)
    expect(await count(`notice_drafts where id = ${draft} and status = 'draft'`)).toBe(1)
    await chen.post('/console/notices', { draft, filesRead: 'yes' })
    expect((await quan.get(path)).text).toContain('“表.pdf”里的字系统读不到')
    const late = await quan.post(`${path}/approve`, {
      seen: /name="seen" value="([a-z]+)"/.exec(stale.text)?.[1] as string,
    })
    expect([late.status, late.text.includes('表.pdf')]).toEqual([422, true])
    const blank = await quan.post(`${path}/return`, { reason: ' ' })
    expect([blank.status, blank.text.includes('请写上退回的理由')]).toEqual([422, true])
    const again = /name="seen" value="([a-z]+)"/.exec(late.text)?.[1] as string
    const approved = await quan.post(`${path}/approve`, { seen: again })
    expect(approved.location).toMatch(/^\/console\/notices\/\d+$/)
    expect(await rows(stage, `select body from notices where programme = 'xibu'`)).toEqual([
      { body: '请各市报送志愿者离岗情况。' },
    ])
  })
})
