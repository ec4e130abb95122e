import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog, groups } from '../../db/schema/index.ts'
import { auditActions } from '../../server/domain/audit/action-words.ts'
import { actionsOf, auditKinds } from '../../server/domain/audit/kinds.ts'
import { issueNotice } from '../../server/domain/notices/issue.ts'
import { actorNamed, unitOf } from '../server/api/client.ts'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { fillMatrix, importCsv } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage
let lin: Visitor
let ding: Visitor
let gao: Visitor
const ids: Record<string, number> = {}

interface Line {
  who: string
  what: string
  about: string
  links: string[]
}

/** The table of the page, cell by cell. */
function linesOf(text: string): Line[] {
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(text)?.[1] ?? ''
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = '']) => {
    const cells = [...row.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(([, cell = '']) => cell)
    const plain = (cell = '') =>
      cell
        .replace(/<br>/g, ' ')
        .replace(/<[^>]+>/g, '')
        .trim()
    return {
      who: plain(cells[1]),
      what: plain(cells[2]),
      about: plain(cells[3]),
      links: [...row.matchAll(/href="([^"]+)"/g)].map(([, href = '']) => href),
    }
  })
}

const see = async (visitor: Visitor, query = '') =>
  linesOf((await visitor.get(`/console/audit${query}`)).text)

async function note(
  actor: string | null,
  action: string,
  subjectKind: string,
  subjectId: number | null,
  details: Record<string, unknown> = {},
): Promise<void> {
  await stage.rt.db.insert(auditLog).values({
    at: stage.clock.now(),
    actorId: actor === null ? null : await personId(stage, actor),
    action,
    subjectKind,
    subjectId,
    details,
  })
}

async function addGroup(name: string, unitId: number): Promise<number> {
  const [row] = await stage.rt.db
    .insert(groups)
    .values({
      programme: 'qingnong',
      kind: 'youth',
      unitId,
      name,
      platform: 'wechat',
      capacity: 500,
      size: 1,
      createdAt: stage.clock.now(),
    })
    .returning({ id: groups.id })
  return row?.id as number
}

beforeAll(async () => {
  stage = await openStage()
  await fillMatrix(stage)
  const [county, other] = await Promise.all(['610802', '610825'].map(code => unitOf(stage, 'qingnong', code)))
  ids.county = county?.id as number
  ids.other = other?.id as number
  ids.group = await addGroup('榆阳团青群', ids.county)
  ids.otherGroup = await addGroup('定边团青群', ids.other)
  const { rt } = stage
  ids.notice = (
    await issueNotice(rt, await actorNamed(stage, '林县书'), {
      unitId: ids.county,
      body: '榆阳区的通知',
      category: '其他',
      importance: 'normal',
    })
  ).id
  await issueNotice(rt, await actorNamed(stage, '丁县书'), {
    unitId: ids.other,
    body: '定边县的通知',
    category: '其他',
    importance: 'normal',
  })
  // the city does something about a group of the county
  await note('高市书', 'group.owner_changed', 'group', ids.group)
  await note('王镇川', 'person.unmasked', 'person', await personId(stage, '李镇川'), { reason: '核对名单' })
  await note('丁县书', 'person.unmasked', 'person', await personId(stage, '贺圈书'), { reason: '外县的理由' })
  // somebody of the county looks at somebody who is not theirs
  await note('林县书', 'person.unmasked', 'person', await personId(stage, '贺圈书'))
  await note(null, 'group.dissolved', 'group', ids.otherGroup, { by: 'platform' })
  ;[lin, ding, gao] = [
    await signIn(stage, '林县书'),
    await signIn(stage, '丁县书'),
    await signIn(stage, '高市书'),
  ]
})

afterAll(() => stage.close())

describe('what an office sees', () => {
  test('what its people did, and what was done to what is theirs, with who, what and where', async () => {
    const lines = await see(lin)
    expect(lines).toContainEqual({
      who: '林县书 榆阳区',
      what: '发出通知（1 个群）',
      about: `通知 ${ids.notice}：榆阳区的通知`,
      links: [`/console/audit?person=${await personId(stage, '林县书')}`, `/console/notices/${ids.notice}`],
    })
    expect(lines).toContainEqual(
      expect.objectContaining({ who: '高市书 榆林市', what: '更换群主', about: '群：榆阳团青群' }),
    )
    expect(lines).toContainEqual(
      expect.objectContaining({
        who: '王镇川 镇川镇',
        what: '查看了完整的手机号、身份证号，理由：核对名单',
        about: '李镇川',
      }),
    )
  })

  test('nothing of another county: neither its people nor its groups, nor a name or a link', async () => {
    const { text } = await lin.get('/console/audit')
    for (const word of ['定边', '丁县书', '贺圈', '外县的理由']) expect(text).not.toContain(word)
    const lines = linesOf(text)
    const about = lines.find(line => line.who.startsWith('林县书') && line.what.startsWith('查看'))
    expect(about?.about).toBe('人员（不在您的范围）')
    expect(about?.links).toHaveLength(1)
    // and the other way round
    const theirs = (await ding.get('/console/audit')).text
    expect(theirs).toContain('定边县的通知')
    for (const word of ['榆阳', '林县书', '王镇川', '核对名单']) expect(theirs).not.toContain(word)
  })

  test('the city sees both, the township its own', async () => {
    const { text } = await gao.get('/console/audit')
    for (const word of ['榆阳区的通知', '定边县的通知', '群：定边团青群', '系统'])
      expect(text).toContain(word)
    const wang = await signIn(stage, '王镇川')
    const own = await see(wang)
    expect(own.map(line => line.who.split(' ')[0])).toEqual(expect.arrayContaining(['王镇川']))
    expect(own.every(line => /^(王镇川|李镇川)/.test(line.who))).toBe(true)
  })

  test('an import of the whole programme, to who runs its root', async () => {
    const [line, ...others] = (await see(gao)).filter(each => each.what.startsWith('导入名册'))
    expect([line?.who, line?.about, line?.links, others]).toEqual(['系统', '名册导入：roster.csv', [], []])
    expect((await see(lin)).filter(line => line.what.startsWith('导入名册'))).toEqual([])
  })

  test('every link of the page leads somewhere', async () => {
    for (const visitor of [gao, lin, ding]) {
      const links = new Set((await see(visitor)).flatMap(line => line.links))
      expect(links.size).toBeGreaterThan(2)
      for (const link of links) expect([link, (await visitor.get(link)).status]).toEqual([link, 200])
    }
  })

  test('somebody without an office does not find the page', async () => {
    const volunteer = await signIn(stage, '阿依古丽·买买提')
    expect((await volunteer.get('/console/audit')).status).toBe(404)
  })
})

describe('looking for something', () => {
  test('every action is of a kind', () => {
    const kinds = new Set(auditKinds.flatMap(kind => actionsOf(kind.id)))
    expect(auditActions.filter(action => !kinds.has(action))).toEqual([])
    expect(auditKinds.filter(kind => actionsOf(kind.id).length === 0)).toEqual([])
  })

  test('views and exports', async () => {
    const lines = await see(lin, '?action=views')
    expect(lines.map(line => [line.who.split(' ')[0], line.about])).toEqual([
      ['林县书', '人员（不在您的范围）'],
      ['王镇川', '李镇川'],
    ])
  })

  test('by person, which never shows more than without', async () => {
    const wang = await personId(stage, '王镇川')
    expect((await see(lin, `?person=${wang}`)).map(line => line.what)).toEqual([
      '登录网页（演示）',
      '查看了完整的手机号、身份证号，理由：核对名单',
    ])
    const other = await lin.get(`/console/audit?person=${await personId(stage, '丁县书')}`)
    expect(other.status).toBe(200)
    expect(linesOf(other.text)).toEqual([])
    expect(other.text).not.toContain('丁县书')
    expect(other.text).toContain('没有符合条件的留痕')
  })

  test('by unit: one’s own; another’s is not there', async () => {
    const all = await see(gao, `?unit=${ids.county}`)
    expect(all.some(line => line.about.includes('榆阳区的通知'))).toBe(true)
    expect(all.some(line => line.about.includes('定边'))).toBe(false)
    expect((await lin.get(`/console/audit?unit=${ids.other}`)).status).toBe(404)
    expect((await lin.get('/console/audit?unit=999999')).status).toBe(404)
  })

  test('by month, to the day', async () => {
    const before = stage.clock.now()
    for (const [at, kind] of [
      ['2026-06-30T23:59:59+08:00', '六月末'],
      ['2026-07-01T00:00:00+08:00', '七月初'],
      ['2026-07-31T23:59:59+08:00', '七月末'],
      ['2026-08-01T00:00:00+08:00', '八月初'],
    ] as const) {
      stage.clock.set(new Date(at))
      await note(null, 'unit.manager_appointed', 'unit', ids.county as number, { kind })
    }
    stage.clock.set(before)
    expect(await see(lin, '?month=2026-07')).toHaveLength(2)
    expect(await see(lin, '?month=2026-06')).toHaveLength(1)
    expect(await see(lin, '?month=2026-05')).toEqual([])
  })

  test('nonsense in the address is as if it were not there', async () => {
    const page = await lin.get("/console/audit?person=x&action=drop&month=13&before=-1'")
    expect(page.status).toBe(200)
    expect(linesOf(page.text).length).toBeGreaterThan(0)
  })
})

test('pages are whole and show nothing twice, also while the log grows', async () => {
  for (let number = 0; number < 120; number++)
    await note('林县书', 'unit.manager_appointed', 'unit', ids.county as number, { number })
  const seen: string[] = []
  let path: string | undefined = '/console/audit?action=units'
  for (let pages = 0; path; pages++) {
    const { text } = await lin.get(path)
    seen.push(...linesOf(text).map(line => line.what))
    await note('林县书', 'unit.manager_appointed', 'unit', ids.county as number)
    path = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&#38;', '&')
    expect(pages).toBeLessThan(5)
  }
  expect(seen).toHaveLength(124)
})

test('what somebody did while they were here stays; what they do after they have left is not shown', async () => {
  const result = await importCsv(
    stage,
    'qingnong',
    '单位编码,姓名,手机号,角色,职务,状态\n610802102,马黄梁,13900000013,乡镇团委成员,团委书记,在岗\n',
  )
  expect(result.isApplied).toBe(true)
  await note('马黄梁', 'person.unmasked', 'person', await personId(stage, '马黄梁'), { reason: '在任时' })
  stage.clock.advance(60_000)
  await importCsv(
    stage,
    'qingnong',
    '单位编码,姓名,手机号,角色,职务,状态\n610802102,马黄梁,13900000013,乡镇团委成员,团委书记,离岗\n',
  )
  stage.clock.advance(60_000)
  await note('马黄梁', 'person.unmasked', 'person', await personId(stage, '马黄梁'), { reason: '离任后' })
  const words = (await see(lin, '?action=views')).map(line => line.what).join(' ')
  expect(words).toContain('在任时')
  expect(words).not.toContain('离任后')
})
