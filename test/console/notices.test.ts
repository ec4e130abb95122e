import exceljs from 'exceljs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { type Answer, signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** The server-sent events of an open page. */
interface Listening {
  /** Waits for the next event of this name and returns its data. */
  next(name: string): Promise<string>
  /** Resolves when the server ends the stream. */
  ended: Promise<void>
  stop(): void
}

async function listen(stage: Stage, visitor: Visitor, path: string): Promise<Listening> {
  const abort = new AbortController()
  const response = await fetch(`${stage.serverUrl}${path}`, {
    headers: { cookie: visitor.cookie, accept: 'text/event-stream' },
    redirect: 'manual',
    signal: abort.signal,
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const events: { name: string; data: string }[] = []
  const waiting: (() => void)[] = []
  const ended = (async () => {
    let text = ''
    try {
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        text += Buffer.from(chunk).toString('utf8')
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const lines = text.slice(0, end).split('\n')
          text = text.slice(end + 2)
          const name = lines.find(line => line.startsWith('event: '))?.slice(7)
          const data = lines.flatMap(line => (line.startsWith('data: ') ? [line.slice(6)] : [])).join('\n')
          if (name) events.push({ name, data })
        }
        for (const wake of waiting.splice(0)) wake()
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error
    }
    for (const wake of waiting.splice(0)) wake()
  })()
  return {
    async next(name) {
      for (;;) {
        const at = events.findIndex(event => event.name === name)
        if (at >= 0) return events.splice(at, 1)[0]?.data as string
        await Promise.race([
          new Promise<void>(resolve => waiting.push(resolve)),
          ended.then(() => {
            if (!events.some(event => event.name === name)) throw new Error(`ended without ${name}`)
          }),
        ])
      }
    },
    ended,
    stop: () => abort.abort(),
  }
}

const text = '各乡镇团委：请于本周五前报送青年创业贷款名单。\n联系人：林县书'
const confirmed = (unit: number, body = text) => ({ unit: String(unit), body, category: '政策法规' })

/** What is written is kept as a draft, whose page is the preview. */
async function previewOf(visitor: Visitor, fields: Record<string, string>): Promise<Answer> {
  const { location } = await visitor.post('/console/notices/preview', fields)
  expect(location).toMatch(/^\/console\/notices\/drafts\/\d+$/)
  return visitor.get(location as string)
}

describe('notices on the pages', () => {
  let stage: Stage
  const people: Record<'city' | 'county' | 'other' | 'wang' | 'ma', SimPerson> = {} as never
  const units: Record<string, number> = {}
  let city: Visitor
  let county: Visitor
  let other: Visitor
  let township: Visitor

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const { sim, say } = stage
    people.city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    people.county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    people.other = sim.addPerson({ name: '丁县书', wecomUserId: 'ding' })
    people.wang = sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    people.ma = sim.addPerson({ name: '马黄梁', wecomUserId: 'ma' })
    await bindFirst(stage, people.city, 'qingnong', '610800')
    for (const person of [people.county, people.other]) await bindThrough(stage, people.city, person)
    for (const person of [people.wang, people.ma]) await bindThrough(stage, people.county, person)
    await say(people.wang.id, '建群 团青群 微信群 86人 镇川青年之家 入群码 https://example.cn/1')
    await say(people.wang.id, '建群 团青群 微信群 40人 镇川电商 入群码 拉人')
    await say(people.ma.id, '建群 团青群 微信群 30人 麻黄梁青年 入群码 拉人')
    await say(people.other.id, '建群 县级青农群 微信群 12人 青农定边 入群码 拉人')
    await stage.settle()
    for (const { id, code } of await rows<{ id: string; code: string }>(
      stage,
      `select id, code from units where programme = 'qingnong'`,
    ))
      units[code] = Number(id)
    city = await signIn(stage, '高市书')
    county = await signIn(stage, '林县书')
    other = await signIn(stage, '丁县书')
    township = await signIn(stage, '王镇川')
  })
  afterAll(() => stage.close())

  const count = async (table: string) =>
    Number((await rows<{ n: string }>(stage, `select count(*) as n from ${table}`))[0]?.n)

  test('before the first there are words, and a way to write one', async () => {
    const page = await county.get('/console/notices')
    expect(page.text).toContain('还没有通知')
    expect(page.text).toContain('href="/console/notices/new"')
  })

  test('the units to write for are one’s own, and the one asked for when one runs it', async () => {
    const own = await county.get('/console/notices/new')
    expect(own.text).toContain(`<option value="${units['610802']}">榆阳区</option>`)
    expect(own.text).not.toContain('定边')
    const below = await county.get(`/console/notices/new?unit=${units['610802101']}`)
    expect(below.text).toContain(`<option value="${units['610802101']}" selected>镇川镇</option>`)
    for (const unit of [units['610825'], units['610800'], 999_999])
      expect((await county.get(`/console/notices/new?unit=${unit}`)).status).toBe(404)
  })

  test.each([
    ['nothing', '', '通知是空的'],
    ['an ID number', '张三身份证号61080220010307312X请核对', '通知里有个人信息（“'],
    ['classified content', '【机密】省委组织部拟任人选名单，内部掌握，请勿外传', '中少办发〔2017〕4号 五.1'],
    ['more than one message holds', '长'.repeat(700), '通知太长（2100 字节'],
    ['markup', '<b>粗</b>身份证号61080220010307312X', '通知里有个人信息'],
  ])('%s does not get as far as the preview, and the text is kept', async (_what, body, fault) => {
    const page = await county.post('/console/notices/preview', confirmed(units['610802'] as number, body))
    expect(page.status).toBe(422)
    expect(page.text).toContain(fault)
    expect(page.text).toContain('<textarea')
    const kept = body.replaceAll('<', '&#60;').replaceAll('>', '&#62;')
    expect(page.text).toContain(`>${kept}</textarea>`)
    expect(page.text).toContain(`<option value="${units['610802']}" selected>`)
    // the confirmation has the same rules for whoever goes past the preview
    const past = await county.post('/console/notices', confirmed(units['610802'] as number, body))
    expect(past.status).toBe(422)
    expect(past.text).toContain(fault)
    expect(await count('notices')).toBe(0)
  })

  test('the preview says whom it reaches, by which way, until when, and guesses the category', async () => {
    const body = text.replaceAll('\n', '\r\n')
    const page = await previewOf(county, { unit: String(units['610802']), body })
    expect(page.text).toMatch(/<b>3<\/b><span>个群会收到/)
    expect(page.text).toMatch(/<b>2<\/b><span>位群主要动手/)
    expect(page.text).toMatch(/<b>0<\/b><span>个群没有群主/)
    expect(page.text).toContain('群主转发 3 个群')
    expect(page.text).toContain('普通：9月8日 09:00前')
    expect(page.text).toContain(`<p class="prose">${text}</p>`)
    const weather = {
      unit: String(units['610802']),
      body: '明天上午八点到下午六点停水，请大家提前储水，互相转告。',
    }
    const other = await previewOf(county, weather)
    expect(other.text).toContain('<option value="便民服务" selected>')
    const chosen = await previewOf(county, { ...weather, category: '新闻娱乐' })
    expect(chosen.text).toContain('<option value="新闻娱乐" selected>')
    expect(await count('notices')).toBe(0)
    const back = await county.get((/href="([^"]+\/edit)"/.exec(page.text) ?? [])[1] as string)
    expect(back.text).toContain(`>${text}</textarea>`)
  })

  test('nobody writes for a unit that they do not run', async () => {
    for (const path of ['/console/notices/preview', '/console/notices'])
      expect((await other.post(path, confirmed(units['610802'] as number))).status).toBe(404)
    expect(
      (await county.post('/console/notices', { ...confirmed(units['610802'] as number), category: '好事' }))
        .text,
    ).toContain('请选一个类别')
    const none = await county.post('/console/notices/preview', { body: text })
    expect([none.status, none.text.includes('请选择以哪个单位的名义发')]).toEqual([422, true])
    expect(await count('notices')).toBe(0)
  })

  test('a unit without groups has nowhere to send to', async () => {
    const page = await other.post('/console/notices/preview', confirmed(units['610825101'] as number))
    expect(page.status).toBe(422)
    expect(page.text).toContain('还没有登记过群')
    expect(page.text).toContain(`>${text}</textarea>`)
  })

  test('two confirmations at once send once, and the second is led to the first', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => county.post('/console/notices', confirmed(units['610802'] as number))),
    )
    expect(answers.map(answer => [answer.status, answer.location])).toEqual(
      answers.map(() => [303, '/console/notices/1']),
    )
    expect(await count('notices')).toBe(1)
    expect(await count('deliveries')).toBe(3)
    const said = answers.map(said => decodeURIComponent(flashOf(said)))
    expect(said.filter(words => words.includes('没有重复发送'))).toHaveLength(2)
    expect(said.filter(words => words.includes('通知 1 已发出'))).toHaveLength(1)
    await stage.settle()
    expect(stage.received(people.ma.id).filter(words => words.startsWith('各乡镇团委'))).toHaveLength(1)
  })

  test('the same words to other groups are another notice', async () => {
    const answer = await county.post('/console/notices', {
      ...confirmed(units['610802'] as number),
      level: 'township',
    })
    expect(answer.location).toBe('/console/notices/2')
    const again = await county.post('/console/notices', {
      ...confirmed(units['610802'] as number),
      level: 'township',
    })
    expect(again.location).toBe('/console/notices/2')
  })

  test('the same words are a new notice after ten minutes', async () => {
    stage.clock.advance(11 * 60_000)
    for (const _press of ['first', 'second'])
      expect((await county.post('/console/notices', confirmed(units['610802101'] as number))).location).toBe(
        '/console/notices/3',
      )
    await stage.settle()
  })

  test('each sees what concerns their part: from above and from below, and nothing beside', async () => {
    await city.post('/console/notices', { ...confirmed(units['610800'] as number, '全市青农工作会议通知') })
    await other.post('/console/notices', { ...confirmed(units['610825'] as number, '定边本县的事') })
    await stage.settle()
    const seen = async (visitor: Visitor) =>
      [...(await visitor.get('/console/notices')).text.matchAll(/href="\/console\/notices\/(\d+)"/g)].map(
        found => Number(found[1]),
      )
    expect(await seen(city)).toEqual([5, 4, 3, 2, 1])
    expect(await seen(county)).toEqual([4, 3, 2, 1])
    expect(await seen(other)).toEqual([5, 4])
    expect(await seen(township)).toEqual([4, 3, 2, 1])
    // the county's part of the city's notice
    expect(listItem(await city.get('/console/notices'), 4)).toContain('0/4')
    expect(listItem(await county.get('/console/notices'), 4)).toContain('0/3')
    expect(listItem(await township.get('/console/notices'), 1)).toContain('0/2')
  })

  test('the page shows the text, who is dry, and whether they can be woken', async () => {
    // the notices so far have used up what the Official Account may write to him; a word opens it again
    expect(rowOf(await county.get('/console/notices/4'), '镇川电商')).toContain('只能发模板消息叫')
    await stage.say(people.wang.id, '帮助')
    const page = await county.get('/console/notices/4')
    expect(page.text).toContain('全市青农工作会议通知')
    expect(page.text).toContain('榆林市 高市书')
    expect(page.text).toContain('麻黄梁青年')
    expect(page.text).not.toContain('青农定边')
    expect(rowOf(page, '麻黄梁青年')).toContain('企业微信叫得到')
    expect(rowOf(page, '镇川电商')).toContain('公众号叫得到')
    expect(page.text).toMatch(
      /<img class="curve" src="\/console\/notices\/4\/curve.svg"[^>]* alt="曲线：今天/,
    )
    // two days without a word close the Official Account's window
    stage.clock.advance(3 * 86_400_000)
    const later = await county.get('/console/notices/4')
    expect(rowOf(later, '镇川电商')).toContain('只能发模板消息叫')
    expect(later.text).toContain('过期未到 3 个群')
    expect(rowOf(later, '镇川电商')).toContain('3 天')
    await rows(stage, `update identities set is_reachable = false where address = 'o-wang'`)
    expect(rowOf(await county.get('/console/notices/4'), '镇川电商')).toContain('叫不到')
    await rows(stage, `update identities set is_reachable = true where address = 'o-wang'`)
  })

  test.each([
    ['/console/notices/1'],
    ['/console/notices/1/live'],
    ['/console/notices/1/curve.svg'],
    ['/console/notices/1/deliveries.xlsx?which=all'],
    ['/console/notices/99999'],
    ['/console/notices/1%20or%201=1'],
  ])('%s is not there for another county', async path => {
    expect((await other.get(path, { accept: 'text/event-stream' })).status).toBe(404)
  })

  test('the curve is a picture that grows with the receipts', async () => {
    const before = await county.get('/console/notices/1/curve.svg')
    expect(before.headers.get('content-type')).toContain('image/svg+xml')
    expect(before.text).toMatch(/^<svg/)
    expect(before.text).toContain('已到群')
    expect(before.text).toBe((await county.get('/console/notices/1/curve.svg')).text)
    await stage.say(people.ma.id, '转 1')
    const after = await county.get('/console/notices/1/curve.svg')
    expect(after.text).not.toBe(before.text)
    const page = await county.get('/console/notices/1')
    expect(page.text).toMatch(/最早到群<\/dt><dd><time[^>]*>今天/)
  })

  test('an export holds what the page shows, for the same eyes, and leaves a trace', async () => {
    const read = async (visitor: Visitor, path: string, sheet: string | number = 1) => {
      const response = await fetch(`${stage.serverUrl}${path}`, { headers: { cookie: visitor.cookie } })
      expect(response.headers.get('content-disposition')).toContain('attachment')
      const workbook = new exceljs.Workbook()
      await workbook.xlsx.load(await response.arrayBuffer())
      const lines: string[] = []
      workbook.getWorksheet(sheet)?.eachRow(row => lines.push((row.values as unknown[]).slice(1).join('|')))
      return lines
    }
    const all = await read(county, '/console/notices/1/deliveries.xlsx?which=all')
    expect(all).toHaveLength(4)
    expect(all[0]).toBe('单位|层级|群号|群名称|群主|送达方式|状态|群主收到时间|到群时间')
    expect(all.find(line => line.includes('麻黄梁青年'))).toMatch(
      /麻黄梁镇\|乡镇\|\d+\|麻黄梁青年\|马黄梁\|群主转发\|已到群\|\|2026-09-1\d/,
    )
    expect(await read(county, '/console/notices/1/deliveries.xlsx?which=dry')).toHaveLength(3)
    const [receipt] = (await read(county, '/console/notices/1/deliveries.xlsx?which=all', '回执明细')).slice(
      1,
    )
    expect(receipt).toMatch(
      /^麻黄梁镇\|\d+\|麻黄梁青年\|到群\|2026-09-1\d [\d:]+\|马黄梁\|群主马黄梁说已转发$/,
    )
    expect(await read(county, '/console/notices/1/deliveries.xlsx?which=all', '各单位进度')).toContainEqual(
      expect.stringMatching(/^榆阳区\|县级\|3\|3\|1\|0\|2\|/),
    )
    expect(await read(county, '/console/notices/1/deliveries.xlsx?which=all', '各级进度')).toContainEqual(
      expect.stringMatching(/^合计\|3\|3\|1\|/),
    )
    expect((await read(township, '/console/notices/1/deliveries.xlsx?which=all')).join()).not.toContain(
      '麻黄梁',
    )
    expect(
      await rows(
        stage,
        `select p.name, l.details from audit_log l join persons p on p.id = l.actor_id where action = 'notice.exported' and subject_id = 1 order by l.id`,
      ),
    ).toEqual([
      { name: '林县书', details: { which: 'all', rows: 3 } },
      { name: '林县书', details: { which: 'dry', rows: 2 } },
      ...Array(3).fill({ name: '林县书', details: { which: 'all', rows: 3 } }),
      { name: '王镇川', details: { which: 'all', rows: 2 } },
    ])
  })

  test('a page that is open learns of a receipt by itself, and is let go when all is done', async () => {
    const page = await county.get('/console/notices/1')
    const path = /sse-connect="([^"]+)"/.exec(page.text)?.[1] as string
    const live = await listen(stage, county, path)
    await stage.say(people.wang.id, '收 1')
    expect(await live.next('progress')).toMatch(/1\/3[\s\S]*<td class="number">2<\/td>/)
    await stage.say(people.wang.id, '转 1')
    expect(await live.next('progress')).toContain('全部传达到位')
    await live.next('done')
    await live.ended
    expect((await county.get('/console/notices/1')).text).not.toContain('sse-connect')
  })

  test('several viewers share one reading; whoever signs out, or loses the office, hears no more', async () => {
    const [first, second] = [await signIn(stage, '林县书'), await signIn(stage, '林县书')]
    const readings = () => queries
    let queries = 0
    const { db } = stage.rt
    const execute = db.execute.bind(db)
    // the heavy reading is the only one that asks since when groups are dry
    db.execute = ((query: { queryChunks?: { value?: unknown }[] }) => {
      if (query.queryChunks?.some(chunk => String(chunk.value).includes('dry_since'))) queries++
      return execute(query as never)
    }) as unknown as typeof db.execute
    const streams = await Promise.all([
      listen(stage, first, '/console/notices/3/live'),
      listen(stage, second, '/console/notices/3/live'),
      listen(stage, county, '/console/notices/3/live'),
    ])
    await Promise.all(streams.map(stream => stream.next('progress')))
    expect(readings()).toBeGreaterThanOrEqual(1)
    queries = 0
    await new Promise(resolve => setTimeout(resolve, 3300))
    db.execute = execute
    expect(readings()).toBeLessThanOrEqual(3)

    await first.post('/sign-out')
    await streams[0]?.next('done')
    await streams[0]?.ended
    await rows(
      stage,
      `update roles set ended_at = now() where ended_at is null and person_id = (select id from persons where name = '林县书')`,
    )
    await Promise.all([streams[1]?.next('done'), streams[2]?.next('done')])
    await Promise.all([streams[1]?.ended, streams[2]?.ended])
    expect((await county.get('/console/notices/3')).status).toBe(404)
    await rows(
      stage,
      `update roles set ended_at = null where person_id = (select id from persons where name = '林县书')`,
    )
  })

  test('readers count on the page, each within the part that is seen', async () => {
    expect((await township.get('/me/notices/4')).status).toBe(200)
    await township.post('/me/notices/4/acknowledge')
    for (const visitor of [city, county])
      expect((await visitor.get('/console/notices/4')).text).toContain(
        '<b>1</b><span>人打开过，1 人点了“我已阅读”',
      )
    expect((await other.get('/console/notices/4')).text).toContain('<b>0</b><span>人打开过')
  })

  test('somebody without a unit has no notices to run', async () => {
    const volunteer = await signIn(stage, '阿依古丽·买买提')
    for (const path of ['/console/notices', '/console/notices/new', '/console/notices/1'])
      expect((await volunteer.get(path)).status, path).toBe(404)
  })

  test('a server that stops does not wait for open pages', async () => {
    const stopping = await openStage()
    await fillMatrix(stopping)
    const gao = stopping.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    await bindFirst(stopping, gao, 'qingnong', '610800')
    await stopping.say(gao.id, '建群 市级青农群 微信群 9人 青农榆林 入群码 拉人')
    const officer = await signIn(stopping, '高市书')
    const [unit] = await rows<{ id: string }>(
      stopping,
      `select id from units where programme = 'qingnong' and code = '610800'`,
    )
    await officer.post('/console/notices', confirmed(Number(unit?.id)))
    const live = await listen(stopping, officer, '/console/notices/1/live')
    await live.next('progress')
    const before = performance.now()
    await stopping.close()
    expect(performance.now() - before).toBeLessThan(5000)
    await live.ended
  })
})

function flashOf(answer: Answer): string {
  return (
    answer.headers
      .getSetCookie()
      .find(each => each.startsWith('qz_said='))
      ?.split(';')[0] ?? ''
  )
}

/** A notice's own part of the list. */
function listItem(page: Answer, id: number): string {
  return (
    page.text
      .split('<li class="listed-notice">')
      .find(part => part.includes(`href="/console/notices/${id}"`)) ?? ''
  )
}

/** The row of a table that names something. */
function rowOf(page: Answer, name: string): string {
  return page.text.split('<tr>').find(row => row.includes(`>${name}<`)) ?? ''
}
