import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { loadTemplates, TEMPLATES_FOLDER, TemplatesError } from '../../server/templates.ts'

const templates = loadTemplates()

describe('the shipped templates', () => {
  it('are valid and quick to load', () => {
    const startedAt = performance.now()
    loadTemplates()
    expect(performance.now() - startedAt).toBeLessThan(100)
  })

  it('are the three programmes', () => {
    expect(templates.programmes.map(programme => programme.id)).toEqual(['qingnong', 'shaoxiandui', 'xibu'])
  })

  it('name an unknown id', () => {
    expect(() => templates.programme('xibo')).toThrow('unknown programme: xibo')
    expect(() => templates.groupKind('xibu', 'wechat')).toThrow('unknown group kind of xibu: wechat')
    expect(() => templates.level('xibo', 'city')).toThrow('unknown level')
    expect(() => templates.threshold('xibu', 'forbidden-posts')).toThrow('is not a number')
  })
})

describe('thresholds of the notices', () => {
  it.each([
    ['xibu', 'branch-size', 30, '全国项目办发〔2018〕1号 一'],
    ['xibu', 'contact-branches', 1, '全国项目办发〔2018〕1号 三.4'],
    ['xibu', 'contact-visits-a-year', 1, '全国项目办发〔2018〕1号 三.4'],
    ['xibu', 'in-province-share', 0.7, '全国项目办发〔2020〕3号 三.1'],
    ['xibu', 'bachelor-share', 0.85, '全国项目办发〔2020〕3号 三.2'],
    ['xibu', 'accident-and-illness-cover', 800_000, '全国项目办发〔2020〕3号 三.5'],
    ['xibu', 'hospital-cover', 300_000, '全国项目办发〔2020〕3号 三.5'],
    ['xibu', 'accident-medical-cover', 200_000, '全国项目办发〔2020〕3号 三.5'],
    ['xibu', 'subsidy-out-of-province', 6000, '山科大党发〔2021〕52号 四(一).1'],
    ['xibu', 'subsidy-in-province', 4000, '山科大党发〔2021〕52号 四(一).1'],
    ['shaoxiandui', 'core-squadron-counsellors-min', 2, '中少办发〔2017〕4号 一.4'],
    ['shaoxiandui', 'core-squadron-counsellors-max', 3, '中少办发〔2017〕4号 一.4'],
    ['qingnong', 'youth-groups-a-township', 10, '榆林团市委 2014 四.(一)'],
    ['qingnong', 'youth-a-cadre', 20, '榆林团市委 2014 四.(一)'],
    ['qingnong', 'cadre-groups-a-county', 1, '榆林团市委 2014 四.(二)'],
    ['qingnong', 'youth-groups-built-share', 0.9, '榆林团市委 2014 三.(二)'],
  ])('%s %s is %d', (programme, id, value, source) => {
    expect(templates.threshold(programme, id)).toBe(value)
    expect(templates.duty(programme, id).source).toBe(source)
  })

  it.each([
    ['xibu', 'branch-summary-due', '01-30'],
    ['xibu', 'matrix-summary-due', '01-30'],
    ['shaoxiandui', 'construction-summary-due', '04-15'],
    ['qingnong', 'plan-sheet-due', '08-20'],
  ])('%s %s is %s', (programme, id, value) => {
    expect(templates.duty(programme, id).value).toBe(value)
  })

  it('notices of shaoxiandui are of the same day unless their writer says otherwise', () => {
    for (const { id, notices } of templates.programmes)
      expect(notices.importantSameDay.value).toBe(id === 'shaoxiandui')
  })
})

describe('who belongs in a group', () => {
  it.each([
    [
      'xibu',
      'national-work',
      ['child-units in-charge 2–2', 'own-unit guidance-centre-head', 'own-unit staff'],
    ],
    ['xibu', 'province-work', ['child-units in-charge 2–2', 'own-unit league-leader', 'own-unit staff']],
    ['xibu', 'city-work', ['child-units in-charge 2–2', 'own-unit league-leader', 'own-unit staff']],
    [
      'xibu',
      'branch',
      ['own-unit volunteer', 'parent-unit league-leader', 'parent-unit staff', 'contacts staff'],
    ],
    [
      'xibu',
      'graduate-teaching',
      ['descendant-units volunteer', 'own-unit league-leader', 'sending-units university-league-head'],
    ],
    [
      'shaoxiandui',
      'province-department-heads',
      ['own-unit office-comrade', 'child-units youth-department-head'],
    ],
    [
      'shaoxiandui',
      'city-department-heads',
      ['own-unit office-comrade', 'child-units youth-department-head'],
    ],
    [
      'shaoxiandui',
      'county-leaders',
      ['own-unit office-comrade', 'child-units young-pioneer-officer', 'child-units chief-counsellor'],
    ],
    [
      'shaoxiandui',
      'brigade-counsellors',
      [
        'own-unit office-comrade',
        'child-units brigade-counsellor',
        'child-units core-squadron-counsellor 2–3',
      ],
    ],
    ['qingnong', 'county-cadres', ['own-unit rural-officer', 'child-units committee-member']],
    ['qingnong', 'youth', ['anyone youth']],
  ])('%s %s', (programme, id, rules) => {
    const printed = templates
      .groupKind(programme, id)
      .members.map(({ from, role, count }) => `${from} ${role}${count ? ` ${count.min}–${count.max}` : ''}`)
    expect(printed).toEqual(rules)
  })

  it('only the open groups of rural youth are without a roster', () => {
    const open = templates.programmes.flatMap(programme =>
      programme.groupKinds.filter(kind => kind.admission === 'self-registration').map(kind => kind.id),
    )
    expect(open).toEqual(['youth', 'county-youth', 'city-youth'])
  })

  it('a person in charge is one of the staff, a secretary one of the branch', () => {
    expect(templates.role('xibu', 'in-charge').countsAs).toEqual(['staff'])
    expect(templates.role('xibu', 'branch-secretary').countsAs).toEqual(['volunteer'])
  })

  it.each([
    ['青农榆阳', true],
    ['青农神木', true],
    ['榆阳青农', false],
    ['青农', false],
    ['青农XX', false],
  ])('the name %s of a county group: %s', (name, isRight) => {
    const { naming } = templates.groupKind('qingnong', 'county-cadres')
    expect(new RegExp(naming?.pattern ?? '', 'u').test(name)).toBe(isRight)
  })
})

describe('regions', () => {
  const [yulin] = templates.regions.cities

  it('榆林市 has 12 counties and 184 townships', () => {
    expect(yulin?.city).toEqual({ code: '610800', name: '榆林市' })
    expect(yulin?.counties.map(county => county.name)).toEqual([
      '榆阳区',
      '横山区',
      '府谷县',
      '靖边县',
      '定边县',
      '绥德县',
      '米脂县',
      '佳县',
      '吴堡县',
      '清涧县',
      '子洲县',
      '神木市',
    ])
    expect(yulin?.counties.flatMap(county => county.townships)).toHaveLength(184)
  })

  it('a county without shipped townships has none', () => {
    expect(templates.regions.townshipsOf('610829').map(township => township.name)).toContain('宋家川街道')
    expect(templates.regions.townshipsOf('110101')).toEqual([])
  })

  it('there are 31 provinces, 342 cities and 2,978 counties', () => {
    const { provinces } = templates.regions
    const cities = provinces.flatMap(province => province.cities)
    expect([provinces.length, cities.length, cities.flatMap(city => city.counties).length]).toEqual([
      31, 342, 2978,
    ])
  })
})

describe('broken templates', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
  })

  /** A copy of templates/ with some texts of its files replaced. */
  function broken(changes: [file: string, from: string, to: string][]): string {
    const folder = mkdtempSync(join(tmpdir(), 'templates-'))
    folders.push(folder)
    for (const part of ['programmes', 'forms', 'regions', 'roster'])
      cpSync(join(TEMPLATES_FOLDER, part), join(folder, part), { recursive: true })
    for (const [file, from, to] of changes) {
      const text = readFileSync(join(folder, file), 'utf8')
      expect(text).toContain(from)
      writeFileSync(join(folder, file), text.replace(from, to))
    }
    return folder
  }

  function problemsOf(folder: string): readonly string[] {
    try {
      loadTemplates(folder)
    } catch (error) {
      if (error instanceof TemplatesError) return error.problems
      throw error
    }
    return []
  }

  it('are all named in one error', () => {
    const folder = broken([
      [
        'programmes/xibu.json',
        '"owner": { "from": "own-unit", "role": "in-charge"',
        '"owner": { "from": "own-unit", "role": "boss"',
      ],
      ['programmes/shaoxiandui.json', '"source": "中少办发〔2017〕4号 一.1"', '"source": "口头通知一"'],
      ['programmes/shaoxiandui.json', '"levels": ["national"]', '"levels": ["world"]'],
      ['programmes/qingnong.json', '"value": 0.9, "unit": "share"', '"value": 90, "unit": "share"'],
      ['forms/tracking-sheet/form.json', '"range": "F1:N1"', '"range": "F1:M1"'],
      ['regions/yulin.json', '"610802"', '"610902"'],
      ['roster/columns.json', '"性别"', '"姓名"'],
    ])
    const problems = problemsOf(folder).join('\n')
    expect(problems).toContain('programmes/xibu.json: group kind national-work: unknown role boss')
    expect(problems).toContain('programmes/shaoxiandui.json: source 口头通知一')
    expect(problems).toContain(
      'programmes/shaoxiandui.json: group kind province-department-heads: unknown level world',
    )
    expect(problems).toContain('programmes/qingnong.json: duties.3: value does not fit its unit')
    expect(problems).toContain('forms/tracking-sheet/form.json: header row 1: column 14 has no cell')
    expect(problems).toContain('regions/yulin.json: county 610902 is not in the city')
    expect(problems).toContain('roster/columns.json: columns: 姓名 has two meanings')
  })

  it('a file that is no JSON is named too', () => {
    const problems = problemsOf(broken([['roster/columns.json', '{', '[']]))
    expect(problems.join()).toContain('roster/columns.json: ')
  })

  it('a form that covers a cell twice', () => {
    const problems = problemsOf(
      broken([['forms/tracking-sheet/form.json', '"range": "K2:N2"', '"range": "J2:N2"']]),
    )
    expect(problems.join()).toContain('header 外出: J2:N2 covers 在乡')
  })
})
