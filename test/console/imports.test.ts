import iconv from 'iconv-lite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { erase } from '../../server/domain/privacy/erase.ts'
import { deleteDrafts } from '../../server/domain/roster/drafts.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { stageFile } from '../../server/domain/roster/stage-file.ts'
import { deleteExpired } from '../../server/jobs/housekeeping.ts'
import { personId, signIn, type Visitor } from '../support/console.ts'
import { applyDraftOf, settledDraft } from '../support/drafts.ts'
import { fillMatrix, importCsv, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** An ID number of these first digits, with its check digit. */
function idNumberOf(body: string): string {
  const digits = body.padEnd(17, '1').slice(0, 17)
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  const sum = weights.reduce((total, weight, at) => total + weight * Number(digits[at]), 0)
  return `${digits}${'10X98765432'[sum % 11]}`
}

const head = '单位编码,姓名,手机号,身份证号,角色,职务,状态\n'
const lins = '610802,林县书,13900000002,,农村战线团干部,团区委副书记,在岗\n'
const wang = '610802101,王镇川,13900000011,,乡镇团委成员,团委书记,在岗\n'
const li = '610802101,李镇川,13900000012,,乡镇团委成员,团委副书记,在岗\n'
const ma = '610802102,马黄梁,13900000013,,乡镇团委成员,团委书记,在岗\n'
const asItStands = head + wang + li + ma

describe('a roster comes in as a file', () => {
  let stage: Stage
  let lin: Visitor

  beforeEach(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    lin = await signIn(stage, '林县书')
  })
  afterEach(() => stage.close())

  const unitId = async (code: string, programme = 'qingnong') =>
    (
      await rows<{ id: string }>(
        stage,
        `select id from units where programme = '${programme}' and code = '${code}'`,
      )
    )[0]?.id as string

  /** Uploads a file as its office does. Returns the path of its page. */
  async function upload(
    csv: string | Buffer,
    options: { as?: Visitor; unit?: string; whole?: boolean; name?: string } = {},
  ): Promise<string> {
    const answer = await (options.as ?? lin).upload(
      '/console/imports/new',
      { field: 'file', name: options.name ?? '名册.csv', bytes: Buffer.from(csv) },
      { unit: options.unit ?? (await unitId('610802')), ...(options.whole ? { whole: 'yes' } : {}) },
    )
    if (answer.status !== 303 || !answer.location) throw new Error(`${answer.status} ${answer.text}`)
    return answer.location
  }

  /** Uploads and applies. Returns the path of the import. */
  async function apply(csv: string, options: Parameters<typeof upload>[1] = {}): Promise<string> {
    const path = await applyDraftOf(options.as ?? lin, await upload(csv, options))
    if (!/^\/console\/imports\/\d+$/.test(path)) throw new Error((await (options.as ?? lin).get(path)).text)
    return path
  }

  /** Everything that an import may touch, without the numbers of rows. */
  const state = async () => ({
    entries: await rows(
      stage,
      `select u.code, p.name, e.role, e.title, e.category, e.post, e.status, e.starts_on::text, e.ends_on::text, e.extra
       from roster_entries e join units u on u.id = e.unit_id join persons p on p.id = e.person_id
       where e.gone_import_id is null order by u.programme, u.code, p.id, e.role, e.starts_on`,
    ),
    roles: await rows(
      stage,
      'select person_id::int, unit_id::int, role, title from roles where ended_at is null order by 1, 2, 3',
    ),
  })
  /** Persons who stand on a roster, with all that is known of them. */
  const persons = () =>
    rows(
      stage,
      `select p.* from persons p where exists (select from roster_entries e where e.person_id = p.id and gone_import_id is null) order by id`,
    )
  const figures = (text: string) =>
    Object.fromEntries(
      [...text.matchAll(/<b>(\d+)<\/b><span>([^<]+)<\/span>/g)].map(match => [match[2], Number(match[1])]),
    )

  test('is looked at first: what is new, changed, unchanged and gone, and nothing has happened yet', async () => {
    const before = await state()
    const path = await upload(
      `${head}${wang.replace('团委书记', '团委第一书记')}610802101,新来的,13900000021,,乡镇团委成员,团委委员,在岗\n${ma}`,
    )
    const { text } = await settledDraft(lin, path)
    expect(figures(text)).toEqual({ 新增: 1, 变动: 1, 不变: 1, 离开: 1, 行有误: 0 })
    expect(text).toContain('职务：团委书记 → <b>团委第一书记</b>')
    for (const name of ['新来的', '王镇川', '李镇川', '马黄梁']) expect(text).toContain(name)
    expect(await state()).toEqual(before)
    const [draft] = await rows<{ file_sealed: string }>(stage, 'select * from roster_drafts')
    expect(draft?.file_sealed).toMatch(/^k[0-9a-f]+\./)
    expect(JSON.stringify(draft)).not.toContain('13900000021')
  })

  test('is applied once, however often it is asked for', async () => {
    const path = await upload(asItStands.replace('团委副书记', '团委委员'))
    const answers = await Promise.all([1, 2, 3].map(() => lin.post(`${path}/apply`)))
    expect(answers.map(answer => answer.status).sort()).toEqual([303, 422, 422])
    expect(answers.find(answer => answer.status === 422)?.text).toContain('没有再导入一次')
    const [row] = await rows(
      stage,
      'select applied_by, new_count, changed_count, gone_count, unit_id::text, programme, file_name from roster_imports where unit_id is not null',
    )
    expect(row).toEqual({
      applied_by: `person:${await personId(stage, '林县书')}`,
      new_count: 0,
      changed_count: 1,
      gone_count: 0,
      unit_id: await unitId('610802'),
      programme: 'qingnong',
      file_name: '名册.csv',
    })
    expect(await rows(stage, 'select status, file_sealed from roster_drafts')).toEqual([
      { status: 'applied', file_sealed: null },
    ])
    expect((await lin.get(path)).location).toMatch(/^\/console\/imports\/\d+$/)
    expect((await lin.get('/console/imports')).text).toContain('名册.csv')
  })

  test.each([
    ['GBK', (csv: string) => iconv.encode(csv, 'gbk'), '名册.csv'],
    ['UTF-8 with a mark', (csv: string) => Buffer.from(`\ufeff${csv}`), '名册.csv'],
    [
      'XLSX',
      async (csv: string) => {
        const { default: exceljs } = await import('exceljs')
        const workbook = new exceljs.Workbook()
        const sheet = workbook.addWorksheet('名册')
        for (const line of csv.trim().split('\n')) sheet.addRow(line.split(','))
        return Buffer.from(await workbook.xlsx.writeBuffer())
      },
      '名册.xlsx',
    ],
  ])('is read in %s', async (_what, encode, name) => {
    const { text } = await settledDraft(lin, await upload(await encode(asItStands), { name }))
    expect(figures(text)).toEqual({ 新增: 0, 变动: 0, 不变: 3, 离开: 0, 行有误: 0 })
  })

  test.each([
    ['no file', Buffer.alloc(0), '', '请选择名册文件'],
    ['an empty file', Buffer.alloc(0), '空.csv', '文件是空的'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), '图.png', '没有找到表头|认不出文件|没有内容'],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0, 0]), '旧.xls', '另存为 .xlsx'],
  ])('%s is refused with words, and the choice of the unit stays', async (_what, bytes, name, words) => {
    const unit = await unitId('610802')
    const answer = await lin.upload(
      '/console/imports/new',
      { field: 'file', name, bytes },
      { unit, whole: 'yes' },
    )
    expect(answer.status).toBe(422)
    expect(answer.text).toMatch(new RegExp(words))
    expect(answer.text).toContain(`<option value="${unit}" selected>`)
    expect(answer.text).toMatch(/name="whole" value="yes" checked/)
    expect(await rows(stage, 'select 1 from roster_drafts')).toEqual([])
  })

  test('errors block and say line, column, value and reason; warnings do not', async () => {
    const before = await state()
    const wrong = `${head}${wang.replace('13900000011', '1390000001')}610899,某人,13900000031,,乡镇团委成员,,在岗\n${li.replace(',,乡镇', ',610802200103073121,乡镇')}`
    const path = await upload(wrong)
    const { text } = await settledDraft(lin, path)
    expect(text).toContain('有 3 行有误')
    for (const words of ['不是 11 位手机号', '没有编码是 610899 的单位', '校验位不对', '139*****01'])
      expect(text).toContain(words)
    expect(text).not.toMatch(/610802200103073121|确认导入/)
    // a form that is sent all the same
    const refused = await lin.post(`${path}/apply`)
    expect(refused.location).toBe(path)
    expect((await settledDraft(lin, path)).text).toContain('没有导入任何一行')
    expect(await state()).toEqual(before)

    const warned = await settledDraft(lin, await upload(`${asItStands}610802102,无号,,,农村团员青年,,在岗\n`))
    expect(warned.text).toContain('提醒（不妨碍导入）')
    expect(warned.text).toContain('确认导入')
  })

  test('columns can be told: a heading that nobody knows, and one that was taken wrongly', async () => {
    const path = await upload(
      `编码,大名,号码,岗位,在什么岗,情况,联系电话\n610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗,13912345678\n`,
    )
    const first = await settledDraft(lin, path)
    expect(first.text).toContain('缺少“姓名”列')
    expect(first.text).not.toContain('确认导入')
    const mapped = {
      'column-0': 'unitCode',
      'column-1': 'name',
      'column-2': 'phone',
      'column-3': 'role',
      'column-4': 'title',
      'column-5': 'status',
      'column-6': 'keep',
    }
    expect((await lin.post(`${path}/mapping`, mapped)).location).toBe(path)
    const { text } = await settledDraft(lin, path)
    expect(figures(text)).toMatchObject({ 新增: 0, 变动: 1, 离开: 1, 行有误: 0 }) // a kept column is a change
    expect(text).toContain('139****5678')
    expect(await rows(stage, 'select mapping from roster_drafts')).toEqual([
      {
        mapping: {
          编码: 'unitCode',
          大名: 'name',
          号码: 'phone',
          岗位: 'role',
          在什么岗: 'title',
          情况: 'status',
          联系电话: 'keep',
        },
      },
    ])
    const twice = await lin.post(`${path}/mapping`, { ...mapped, 'column-6': 'phone' })
    expect(twice.status).toBe(303)
    expect((await settledDraft(lin, path)).text).toContain('“手机号”列重复')
    const none = await lin.post(`${path}/mapping`, { ...mapped, 'column-6': 'password' })
    expect([none.status, none.text.includes('没有这一列')]).toEqual([422, true])
    await lin.post(`${path}/mapping`, mapped)
    const done = await lin.post(`${path}/apply`)
    expect(done.location).toMatch(/imports\/\d+$/)
    const kept = await rows(stage, "select extra from roster_entries where extra <> '{}'::jsonb")
    expect(kept).toEqual([{ extra: { 联系电话: '139****5678' } }])
  })

  test('a file that was given up is deleted at once; one that is forgotten, after a day', async () => {
    const first = await upload(asItStands)
    expect((await lin.post(`${first}/give-up`)).location).toBe('/console/imports')
    expect(await rows(stage, 'select status, file_sealed from roster_drafts')).toEqual([
      { status: 'given_up', file_sealed: null },
    ])
    expect((await lin.post(`${first}/apply`)).status).toBe(422)
    expect((await lin.get(first)).text).toContain('已经放弃')
    const second = await upload(asItStands)
    expect((await lin.get('/console/imports')).text).toContain(second)
    stage.clock.advance(23 * 3600_000)
    await deleteExpired(stage.rt)
    expect((await lin.get(second)).status).toBe(200)
    stage.clock.advance(3600_000)
    await deleteExpired(stage.rt)
    expect(await rows(stage, 'select 1 from roster_drafts')).toEqual([])
    expect((await lin.get(second)).status).toBe(404)
  })

  test('a roster that has changed since it was looked at is looked at again before it is applied', async () => {
    const file = asItStands.replace('团委副书记', '团委委员')
    const path = await upload(file)
    expect(figures((await settledDraft(lin, path)).text)).toMatchObject({ 变动: 1, 不变: 2 })
    await importCsv(stage, 'qingnong', file)
    const imports = await rows(stage, 'select id from roster_imports')
    expect(await applyDraftOf(lin, path)).toBe(path)
    const { text } = await settledDraft(lin, path)
    expect(text).toContain('名册在您核对之后有变动，没有导入')
    expect(figures(text)).toMatchObject({ 变动: 0, 不变: 3 })
    expect(await rows(stage, 'select id from roster_imports')).toEqual(imports)
    expect(await applyDraftOf(lin, path)).toMatch(/imports\/\d+$/)
  })

  test('what others have changed meanwhile is looked at again, even when it comes to the same numbers', async () => {
    const path = await upload(head + li)
    const before = await settledDraft(lin, path)
    expect([figures(before.text).离开, before.text.includes('王镇川')]).toEqual([1, true])
    await importCsv(
      stage,
      'qingnong',
      `${head}${li}${wang.replace('王镇川,13900000011', '赵新来,13900000099')}`,
    )
    expect(await applyDraftOf(lin, path)).toBe(path)
    const { text } = await settledDraft(lin, path)
    expect(text).toContain('名册在您核对之后有变动，没有导入')
    expect([figures(text).离开, text.includes('赵新来')]).toEqual([1, true])
    expect(await applyDraftOf(lin, path)).toMatch(/imports\/\d+$/)
  })

  test('a file whose time is over is not there, be it deleted yet or not', async () => {
    const path = await upload(asItStands)
    const dying = await upload(asItStands)
    await settledDraft(lin, path)
    await rows(
      stage,
      "update roster_drafts set status = 'checking' where id = (select max(id) from roster_drafts) returning id",
    )
    stage.clock.advance(24 * 3600_000)
    const again = await signIn(stage, '林县书')
    for (const each of [path, dying]) {
      expect((await again.get(each)).status).toBe(404)
      expect((await again.post(`${each}/apply`)).status).toBe(404)
    }
    await deleteDrafts(stage.rt)
    expect(await rows(stage, 'select 1 from roster_drafts')).toEqual([])
    expect(await rows(stage, 'select 1 from roster_stagings')).toEqual([])
  })

  test.each([
    ['checking', 'uploaded', null],
    ['applying', 'failed', '导入中途停了'],
  ])('a file whose process has died while %s outlives the sweep', async (status, then, words) => {
    await upload(asItStands)
    await rows(
      stage,
      `update roster_drafts set status = '${status}', expires_at = '${stage.clock.now().toISOString()}' returning id`,
    )
    stage.clock.advance(60_000)
    await deleteExpired(stage.rt)
    const [draft] = await rows<{ status: string; error: string | null; kept: boolean; hours: number }>(
      stage,
      `select status, error, file_sealed is not null as kept,
         round(extract(epoch from expires_at - created_at) / 3600)::int as hours from roster_drafts`,
    )
    expect(draft).toMatchObject({ status: then, kept: true, hours: 24 })
    expect(draft?.error ?? '').toContain(words ?? '')
  })

  test('characters that the database cannot keep are left out', async () => {
    const path = await upload(`${head.trim()},备注\0\n${li.trim()},甲\0乙\n`)
    expect(figures((await settledDraft(lin, path)).text)).toMatchObject({ 变动: 1, 行有误: 0 })
    await applyDraftOf(lin, path)
    expect(await rows(stage, "select extra from roster_entries where extra <> '{}'::jsonb")).toEqual([
      { extra: { 备注: '甲乙' } },
    ])
  })

  test('a file that is given up before it is read leaves nothing behind', async () => {
    const path = await upload(asItStands)
    const id = Number(path.split('/').at(-1))
    await rows(stage, `update roster_drafts set status = 'given_up' where id = ${id} returning id`)
    const file = { bytes: Buffer.from(asItStands) }
    await expect(stageFile(stage.rt, file, { programme: 'qingnong' }, id)).rejects.toMatchObject({
      code: 'draft.gone',
    })
    expect(await rows(stage, 'select 1 from roster_stagings')).toEqual([])
    expect(await rows(stage, "select 1 from pg_tables where schemaname = 'roster_staging'")).toEqual([])
  })

  describe('who is erased stays erased', () => {
    const wangId = () => personId(stage, '王镇川')

    test('while a file with them is being read', async () => {
      await importCsv(stage, 'qingnong', head + li)
      const id = await wangId()
      let isErased = false
      const reading = importRoster(
        stage.rt,
        { name: '名册.csv', bytes: Buffer.from(asItStands) },
        {
          programme: 'qingnong',
          isDryRun: false,
          actorId: null,
          async onProgress() {
            if (!isErased) await erase(stage.rt, [id], { why: 'request', byId: id })
            isErased = true
          },
        },
      )
      await expect(reading).rejects.toMatchObject({ code: 'roster.erased' })
      expect(await rows(stage, "select 1 from persons where name = '王镇川'")).toEqual([])
      // made anew, it is what the office says now
      expect(await importCsv(stage, 'qingnong', asItStands)).toMatchObject({ isApplied: true })
    })

    test('while a file with them waits for its turn to be applied', async () => {
      const id = await wangId()
      const path = await upload(asItStands.replace('团委副书记', '团委委员'))
      await settledDraft(lin, path)
      await rows(stage, "update roster_drafts set status = 'applying' returning id")
      await erase(stage.rt, [id], { why: 'request', byId: id })
      expect(await rows(stage, 'select status, file_sealed from roster_drafts')).toEqual([
        { status: 'given_up', file_sealed: null },
      ])
    })

    test('when the import that had dropped them is undone', async () => {
      const id = await wangId()
      const path = await apply(head + li)
      await erase(stage.rt, [id], { why: 'request', byId: id })
      expect((await lin.post(`${path}/undo`)).status).toBe(303)
      const of = (table: string, standing: string) =>
        rows(stage, `select 1 from ${table} where person_id = ${id} and ${standing}`)
      expect(await of('roster_entries', 'gone_import_id is null')).toEqual([])
      expect(await of('roles', 'ended_at is null')).toEqual([])
    })
  })

  test('a check whose process has died is made again, and what it had read is gone', async () => {
    const path = await upload(asItStands)
    await settledDraft(lin, path)
    await rows(
      stage,
      `update roster_drafts set status = 'checking', expires_at = '${new Date(stage.clock.now().getTime() + 120_000).toISOString()}' returning id`,
    )
    await rows(stage, 'update roster_stagings set facts = null returning id')
    expect((await lin.get(path)).text).toContain('正在核对')
    expect((await lin.post(`${path}/apply`)).status).toBe(422)
    stage.clock.advance(2 * 60_000)
    expect(figures((await settledDraft(lin, path)).text)).toMatchObject({ 不变: 3, 行有误: 0 })
    expect(await rows(stage, 'select 1 from roster_stagings')).toHaveLength(1)
    expect(await rows(stage, "select 1 from pg_tables where tablename like 'rows_%'")).toHaveLength(1)
  })

  test('what follows from it is shown before: who moves, groups that change, branches too large, owners with much to do', async () => {
    const office = await signIn(stage, '赵县办')
    const [{ id: branch } = { id: '' }] = await rows<{ id: string }>(
      stage,
      "select id from units where name = '榆阳区第一团支部'",
    )
    await rows(
      stage,
      `insert into groups (programme, kind, unit_id, name, platform, owner_id, capacity, size, created_at)
       values ('xibu', 'branch', ${branch}, '沙柳支部群', 'wechat', ${await personId(stage, '周支书')}, 200, 4, now()) returning id`,
    )
    const first = '榆阳区,榆阳区第一团支部'
    const newcomers = Array.from(
      { length: 30 },
      (_, index) =>
        `${first},新人${'甲乙丙丁戊己庚辛壬癸'[index % 10]}${'子丑寅'[Math.floor(index / 10)]},1390000${1000 + index},,,2026-08-01,2027-07-31,在岗\n`,
    )
    const path = await upload(
      `区县,团支部,姓名,手机号,身份证号,角色,服务开始日期,服务结束日期,状态\n${first},周支书,13800000005,,团支部书记,2026-08-01,2027-07-31,在岗\n榆阳区,榆阳区第二团支部,张思雨,13800000006,61080220010307312X,,2026-08-01,2027-07-31,在岗\n${newcomers.join('')}`,
      { as: office, unit: await unitId('610802', 'xibu') },
    )
    const { text } = await settledDraft(office, path)
    // 阿依古丽 and 李晓东, whose service was over before, are not in the file
    expect(figures(text)).toMatchObject({ 新增: 30, 变动: 1, 调动: 1, 离开: 2 })
    expect(text).toContain('榆阳区第一团支部 西部计划志愿者 → <b>榆阳区第二团支部 西部计划志愿者</b>')
    expect(text).toContain('1 个团支部的人数会超过上限')
    expect(text).toContain('1 位群主的待办会超过 20 件')
    expect(text).toContain('1 个群要跟着变：30 人次进群，2 人次退群')
    expect(text).toContain(`<a href="${path}?list=new">看全部 30 条</a>`)
    const all = await office.get(`${path}?list=new`)
    expect(all.text.match(/新人/g)).toHaveLength(30)
    expect((await office.get(`${path}?list=owner`)).text).toContain('周支书')
  })

  test('somebody else’s file and import are not there', async () => {
    const draft = await upload(asItStands)
    const done = await apply(asItStands.replace('团委副书记', '团委委员'))
    for (const name of ['丁县书', '王镇川', '赵县办']) {
      const other = await signIn(stage, name)
      expect((await other.get(draft)).status, name).toBe(404)
      expect((await other.get(`${draft}/progress`)).status, name).toBe(404)
      for (const verb of ['mapping', 'apply', 'give-up'])
        expect((await other.post(`${draft}/${verb}`)).status, `${name} ${verb}`).toBe(404)
      expect((await other.get(done)).status, name).toBe(404)
      expect((await other.post(`${done}/undo`)).status, name).toBe(404)
      expect((await other.get('/console/imports')).text, name).not.toContain('名册.csv')
    }
    // the city sees what its county has imported, and not what it is still looking at
    const gao = await signIn(stage, '高市书')
    expect([(await gao.get(draft)).status, (await gao.get(done)).status]).toEqual([404, 200])
    // and an import of the command line is nobody's
    const [own] = await rows<{ id: string }>(stage, 'select min(id) as id from roster_imports')
    expect((await gao.get(`/console/imports/${own?.id}`)).status).toBe(404)
    expect((await (await signIn(stage, '阿依古丽·买买提')).get('/console/imports/new')).status).toBe(404)
  })

  describe('an office touches its own subtree only', () => {
    test.each([
      [
        'a township of another county',
        '610825101,贺圈书,13900000014,,乡镇团委成员,团委书记,在岗\n',
        '不在榆阳区的范围内',
      ],
      ['the city above', '610800,林县书,13900000002,,农村战线团干部,部长,在岗\n', '不在榆阳区的范围内'],
      [
        'a new officer of the office itself',
        '610802,林县书的朋友,13900000099,,农村战线团干部,副书记,在岗\n',
        '由上级登记',
      ],
      [
        'a matrix manager of the office itself',
        '610802,王镇川,13900000011,,微信管理员,,在岗\n',
        '由上级登记',
      ],
      ['another title for oneself', lins.replace('副书记', '书记'), '由上级登记'],
      ['putting out a colleague', lins.replace('在岗', '离岗'), '由上级登记'],
      [
        'another phone for oneself',
        lins.replace('13900000002', '13900000098'),
        '由上级登记|个人信息只能由上级更正',
      ],
    ])('%s is refused', async (_what, line, words) => {
      const before = await state()
      const known = await persons()
      const path = await upload(asItStands + line)
      expect((await settledDraft(lin, path)).text).toMatch(new RegExp(words))
      await lin.post(`${path}/apply`)
      expect(await state()).toEqual(before)
      expect(await persons()).toEqual(known)
      expect(await rows(stage, 'select 1 from roster_imports where unit_id is not null')).toEqual([])
    })

    test('its own officers may stand in the file as they are, and leaving them out puts nobody out', async () => {
      const before = await state()
      expect(figures((await settledDraft(lin, await upload(asItStands + lins))).text)).toMatchObject({
        不变: 4,
        行有误: 0,
      })
      const youth = '610802,小青年,13900000041,,农村团员青年,,在岗\n'
      await apply(asItStands + youth, { whole: true })
      expect((await state()).roles).toEqual(expect.arrayContaining(before.roles))
      expect((await lin.get('/console/roster')).text).toContain('小青年')
      await apply(asItStands, { whole: true }) // who does not run the office comes and goes
      expect(await state()).toEqual(before)
    })

    test('officers below it are its own to name and to let go', async () => {
      await apply(`${head}610802102,新书记,13900000051,,乡镇团委成员,团委书记,在岗\n`)
      expect((await (await signIn(stage, '新书记')).get('/console')).status).toBe(200)
      expect((await (await signIn(stage, '马黄梁')).get('/console')).status).toBe(404)
    })

    test('the whole of the county takes nobody from another, and moves nobody away from there', async () => {
      const before = await state()
      const path = await apply(`${head}${wang}610802101,贺圈书,13900000014,,乡镇团委成员,团委副书记,在岗\n`, {
        whole: true,
      })
      const after = await state()
      const of = (name: string, { entries }: typeof before) =>
        entries.filter(entry => entry.name === name).map(entry => entry.code)
      expect(of('李镇川', after)).toEqual([])
      expect(of('马黄梁', after)).toEqual([])
      expect(of('贺圈书', after)).toEqual(['610802101', '610825101'])
      expect(of('丁县书', after)).toEqual(['610825'])
      expect((await (await signIn(stage, '贺圈书')).get('/console')).text).toMatch(
        /贺圈镇[\s\S]*镇川镇|镇川镇[\s\S]*贺圈镇/,
      )
      await lin.post(`${path}/undo`)
      expect(await state()).toEqual(before)
    })

    test('what is known of somebody who stands elsewhere too stays as it is', async () => {
      const known = await persons()
      // found by the ID number, with another phone: an officer elsewhere would be reached on it from now on
      const office = await signIn(stage, '赵县办')
      const unit = await unitId('610802', 'xibu')
      const branch = '区县,团支部,姓名,手机号,身份证号,状态\n'
      await importCsv(
        stage,
        'xibu',
        '单位编码,姓名,手机号,身份证号,角色,职务,状态\n610800,刘市办,13800000003,61080219900101123X,项目办负责同志,主任,在岗\n',
      )
      const path = await upload(
        `${branch}榆阳区,榆阳区第二团支部,刘市办,13866666666,61080219900101123X,在岗\n`,
        { as: office, unit },
      )
      const { text } = await settledDraft(office, path)
      expect(text).toContain('文件里有人已由榆阳区以外的单位登记')
      expect(text).not.toMatch(/138\*{4}(6666|0003)/)
      await office.post(`${path}/apply`)
      expect(await rows(stage, "select 1 from units where name = '榆阳区第二团支部'")).toEqual([])
      expect((await persons()).length).toBe(known.length)
    })

    describe('a file does not tell whose numbers are registered elsewhere', () => {
      const withId = '单位编码,姓名,手机号,身份证号,角色,职务,状态\n'
      const place = '610825101'
      const numbers = Array.from({ length: 40 }, (_, index) =>
        idNumberOf(`610824199003076${String(index).padStart(2, '0')}`),
      )
      const secret = numbers[17] as string
      let ding: Visitor
      let unit: string
      beforeEach(async () => {
        await importCsv(stage, 'qingnong', withId + wang.replace('11,,', `11,${secret},`) + li)
        ding = await signIn(stage, '丁县书')
        unit = await unitId('610825')
      })
      const tries = (name: string) =>
        numbers.map(number => `${place},${name},,${number},乡镇团委成员,,在岗\n`).join('')
      const told = () =>
        rows<{ subject_id: string; actor_id: string }>(
          stage,
          "select actor_id::int, subject_id::int from audit_log where action = 'roster.others_compared'",
        )

      test('beside a name and a phone that are known', async () => {
        const csv = `${withId}${place},王镇川,13900000011,,乡镇团委成员,,在岗\n${tries('王镇川')}`
        const { text } = await settledDraft(ding, await upload(csv, { as: ding, unit }))
        expect(text).toContain('文件里有人已由定边县以外的单位登记')
        expect(text).not.toContain('是同一人')
        expect(await told()).toEqual([
          { actor_id: await personId(stage, '丁县书'), subject_id: Number(unit) },
        ])
      })

      test('nor once the office has brought the person in itself', async () => {
        await apply(`${withId}${place},王镇川,13900000011,,乡镇团委成员,,在岗\n`, { as: ding, unit })
        const csv = `${withId}${place},王镇川,13900000011,,乡镇团委成员,,在岗\n${tries('王镇川')}`
        const { text } = await settledDraft(ding, await upload(csv, { as: ding, unit }))
        expect(text).not.toContain('是同一人')
        expect(await told()).toHaveLength(1)
      })

      test('beside a name that is made up', async () => {
        const { text } = await settledDraft(ding, await upload(withId + tries('甲乙丙'), { as: ding, unit }))
        expect(figures(text)).toMatchObject({ 新增: 40, 行有误: 0 })
        expect(await told()).toEqual([])
      })

      test('by trying it without applying, which is noted too and comes to an end', async () => {
        const csv = `${withId}${place},王镇川,13900000012,${secret},乡镇团委成员,,在岗\n`
        const actorId = await personId(stage, '丁县书')
        const within = (await rows<{ path: string }>(stage, `select path from units where id = ${unit}`))[0]
          ?.path as string
        const attempt = (isDryRun: boolean) =>
          importRoster(
            stage.rt,
            { name: '名册.csv', bytes: Buffer.from(csv) },
            { programme: 'qingnong', isDryRun, actorId, within },
          )
        for (const [index, isDryRun] of Array.from({ length: 10 }, (_, at) => [at, at % 2 === 0] as const)) {
          const { problems, isApplied } = await attempt(isDryRun)
          expect([isApplied, problems.map(problem => problem.line)]).toEqual([false, [0]])
          expect(await told()).toHaveLength(index + 1)
        }
        await expect(attempt(true)).rejects.toMatchObject({ code: 'roster.others' })
        stage.clock.advance(25 * 3600_000)
        expect((await attempt(true)).problems).toHaveLength(1)
      })

      test('its own people it is told of line by line', async () => {
        const own = await signIn(stage, '林县书')
        await apply(
          `${withId}${wang.replace('11,,', `11,${secret},`)}${li}610802101,小青年,13900000041,${numbers[3]},农村团员青年,,在岗\n`,
        )
        await importCsv(
          stage,
          'qingnong',
          `${withId}${place},小青年,13900000041,${numbers[3]},乡镇团委成员,,在岗\n610825101,贺圈书,13900000014,,乡镇团委成员,团委书记,在岗\n`,
        )
        const csv = `${withId}610802101,小青年,13977777777,${numbers[3]},农村团员青年,,在岗\n`
        const { text } = await settledDraft(own, await upload(csv, { as: own }))
        expect(text).toContain('139****7777')
        expect(text).toContain('个人信息只能由上级更正')
      })
    })

    test('a branch of another county is not made, nor by somebody who runs only a branch', async () => {
      const office = await signIn(stage, '赵县办')
      const csv = '区县,团支部,姓名,手机号,状态\n定边县,定边县第二团支部,某某,13866666661,在岗\n'
      const path = await upload(csv, { as: office, unit: await unitId('610802', 'xibu') })
      expect((await settledDraft(office, path)).text).toContain('不在榆阳区的范围内')
      const zhou = await signIn(stage, '周支书')
      const [branch] = await rows<{ id: string }>(
        stage,
        "select id from units where name = '榆阳区第一团支部'",
      )
      const own = await upload(
        '区县,团支部,姓名,手机号,状态\n榆阳区,榆阳区第二团支部,某某,13866666661,在岗\n',
        {
          as: zhou,
          unit: branch?.id as string,
        },
      )
      expect((await zhou.get(own)).text).toContain('不在榆阳区第一团支部的范围内')
    })

    test('a unit that one does not run cannot be chosen', async () => {
      for (const code of ['610825', '610800', '610802101']) {
        const answer = await lin.upload(
          '/console/imports/new',
          { field: 'file', name: 'a.csv', bytes: Buffer.from(asItStands) },
          { unit: await unitId(code) },
        )
        expect([answer.status, answer.text.includes('您没有权限')]).toEqual([422, true])
      }
    })

    test('who has lost the office since cannot apply what they had uploaded', async () => {
      const path = await upload(asItStands)
      await importCsv(
        stage,
        'qingnong',
        `${head}610802,新县书,13900000061,,农村战线团干部,团区委副书记,在岗\n`,
      )
      expect((await lin.post(`${path}/apply`)).status).toBe(404)
    })
  })

  describe('an import is undone', () => {
    const branch =
      '区县,团支部,姓名,手机号,身份证号,微信号,角色,人员类别,服务单位,服务开始日期,服务结束日期,状态,备注\n'
    const yuyang = '榆阳区,榆阳区第一团支部'
    const changed = `${branch}${yuyang},周支书,13800000005,,,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗,
${yuyang},张思燕,13911110006,61080220010307312X,zsy2001,团支部副书记,全国项目,镇川镇政府,2026-08-01,2027-07-31,在岗,改名
${yuyang},新来的,13800000077,,,,全国项目,榆阳中学,2026-08-01,2027-07-31,在岗,
榆阳区,榆阳区第三团支部,另一位,13800000078,,,团支部书记,全国项目,榆阳中学,2026-08-01,2027-07-31,在岗,
`
    let office: Visitor
    let unit: string
    beforeEach(async () => {
      office = await signIn(stage, '赵县办')
      unit = await unitId('610802', 'xibu')
    })

    test('entries, roles, names and numbers are as before; whom it had made stands nowhere', async () => {
      const [before, known] = [await state(), await persons()]
      const path = await apply(changed, { as: office, unit })
      const after = await state()
      expect(after).not.toEqual(before)
      expect(await persons()).not.toEqual(known)
      const changes = await rows<{ before: Record<string, string> }>(
        stage,
        'select before from roster_person_changes',
      )
      expect(changes).toHaveLength(1)
      expect(Object.keys(changes[0]?.before ?? {})).toEqual(
        expect.arrayContaining(['name', 'nameKey', 'phoneIndex', 'phoneSealed', 'wechatIndex']),
      )
      expect(JSON.stringify(changes)).not.toMatch(/13800000006|61080220010307/)
      const page = await office.get(path)
      expect(page.text).toContain('撤销这次导入')
      expect(page.text).toMatch(/SHA-256 [0-9a-f]{64}/)

      const undone = await office.post(`${path}/undo`)
      expect(undone.location).toBe(path)
      expect(await state()).toEqual(before)
      expect(await persons()).toEqual(known)
      expect((await office.get(path)).text).toContain('已撤销')
      expect(
        await rows(stage, "select name from persons where name in ('新来的', '另一位') order by 1"),
      ).toHaveLength(2)
      const again = await office.post(`${path}/undo`)
      expect([again.status, again.text.includes('已经撤销过了')]).toEqual([422, true])
      expect(
        await rows(
          stage,
          "select actor_id::int, action from audit_log where subject_kind = 'roster_import' order by id desc limit 2",
        ),
      ).toEqual([
        { actor_id: await personId(stage, '赵县办'), action: 'roster.import_undone' },
        { actor_id: await personId(stage, '赵县办'), action: 'roster.imported' },
      ])
      // and done again it comes to the same as the first time
      const { entries } = after
      await apply(changed, { as: office, unit })
      expect((await state()).entries).toEqual(entries)
    })

    test('by one of two who ask at once', async () => {
      const before = await state()
      const path = await apply(changed, { as: office, unit })
      const answers = await Promise.all([office.post(`${path}/undo`), office.post(`${path}/undo`)])
      expect(answers.map(answer => answer.status).sort()).toEqual([303, 422])
      expect(await state()).toEqual(before)
    })

    test('only after a later one that touched the same', async () => {
      const before = await state()
      const first = await apply(changed, { as: office, unit })
      const second = await apply(changed.replace('榆阳中学', '榆阳二中'), { as: office, unit })
      const refused = await office.post(`${first}/undo`)
      expect(refused.status).toBe(422)
      expect(refused.text).toContain('请先撤销那一次')
      expect((await office.post(`${second}/undo`)).status).toBe(303)
      expect((await office.post(`${first}/undo`)).status).toBe(303)
      expect(await state()).toEqual(before)
    })

    test('not when the command line has been at it since', async () => {
      const path = await apply(changed, { as: office, unit })
      await importCsv(stage, 'xibu', changed.replace('榆阳中学', '榆阳二中'))
      const refused = await office.post(`${path}/undo`)
      expect([refused.status, refused.text.includes('系统管理员的导入')]).toEqual([422, true])
    })

    test('a number that its owner has had deleted since does not come back', async () => {
      const path = await apply(changed, { as: office, unit })
      const gone =
        "update persons set phone_sealed = null, phone_index = null where name = '张思燕' returning id"
      const [{ id } = { id: '' }] = await rows<{ id: string }>(stage, gone)
      await office.post(`${path}/undo`)
      expect(
        await rows(
          stage,
          `select name, phone_sealed, phone_index, id_number_index is null as no_id from persons where id = ${id}`,
        ),
      ).toEqual([{ name: '张思雨', phone_sealed: null, phone_index: null, no_id: false }])
    })
  })

  describe('an import takes its time', () => {
    const many = () =>
      head +
      wang +
      Array.from(
        { length: 3000 },
        (_, index) =>
          `610802101,青年${'甲乙丙丁戊己庚辛壬癸'[index % 10]},1370000${1000 + index},,农村团员青年,,在岗`,
      ).join('\n')

    /** Holds every import up until it is let go, as another import would. */
    async function holdUp(): Promise<() => Promise<void>> {
      let release = () => {}
      const held = stage.rt.db.transaction(async tx => {
        await tx.execute("select pg_advisory_xact_lock(hashtext('roster:qingnong'))")
        await new Promise<void>(resolve => {
          release = resolve
        })
      })
      return async () => {
        release()
        await held
      }
    }

    test('and says how far it is until it is done', async () => {
      const path = await upload(many())
      const letGo = await holdUp()
      const started = await lin.post(`${path}/apply`)
      expect(started.location).toBe(path)
      const waiting = await lin.get(path)
      expect(waiting.text).toContain('正在导入')
      expect(waiting.text).toContain('hx-trigger="every 1s"')
      const part = await lin.get(`${path}/progress`, { 'hx-request': 'true' })
      expect(part.text).toMatch(/^<section[\s\S]*<\/section>$/)
      expect((await lin.get(`${path}/progress`)).location).toBe(path) // without scripts
      expect((await lin.post(`${path}/give-up`)).status).toBe(422)
      await letGo()
      let answer = part
      while (answer.status === 200) answer = await lin.get(`${path}/progress`, { 'hx-request': 'true' })
      expect(answer.status).toBe(204)
      expect(answer.headers.get('hx-redirect')).toMatch(/^\/console\/imports\/\d+$/)
      expect(await rows(stage, 'select total_count, done_count > 0 as moved from roster_drafts')).toEqual([
        { total_count: 3001, moved: true },
      ])
      expect((await lin.get('/console/roster?search=青年甲')).text).toContain('共 300 条')
    })

    test('and one that broke off leaves nothing, says so, and can be tried again', async () => {
      const before = await state()
      await stage.rt.db.execute(`
        create function break_off() returns trigger language plpgsql as $$ begin raise exception 'the disk is full'; end $$;
        create trigger break_off after insert on audit_log for each row when (new.action = 'roster.imported') execute function break_off()`)
      const path = await upload(many())
      expect((await lin.post(`${path}/apply`)).location).toBe(path)
      const failed = await settledDraft(lin, path)
      expect(failed.text).toContain('服务器出错，没有导入任何一行')
      expect(await state()).toEqual(before)
      expect(await rows(stage, "select 1 from persons where name like '青年%'")).toEqual([])
      await stage.rt.db.execute('drop trigger break_off on audit_log')
      await lin.post(`${path}/apply`)
      const again = await settledDraft(lin, path)
      expect(again.location).toMatch(/^\/console\/imports\/\d+$/)
      expect((await lin.get('/console/roster?search=青年甲')).text).toContain('共 300 条')
    })

    test('and one whose process has died is taken for failed after a quarter of an hour', async () => {
      const path = await upload(asItStands)
      const letGo = await holdUp()
      await lin.post(`${path}/apply`)
      stage.clock.advance(14 * 60_000)
      expect((await lin.get(path)).text).toContain('正在导入')
      stage.clock.advance(60_000)
      const { text } = await settledDraft(lin, path)
      expect(text).toContain('导入中途停了')
      expect(text).toContain('确认导入')
      // the one that was thought dead comes back and must not do it any more
      const before = await state()
      await letGo()
      const locks = () =>
        rows(
          stage,
          `select 1 from pg_locks where locktype = 'advisory'
           and database = (select oid from pg_database where datname = current_database())`,
        )
      await expect.poll(locks, { timeout: 20_000 }).toEqual([])
      expect(await state()).toEqual(before)
      expect(await rows(stage, 'select status from roster_drafts')).toEqual([{ status: 'failed' }])
    })
  })
})
