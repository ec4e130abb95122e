import { describe, expect, it } from 'vitest'
import { isHeaderRow, mapColumns, recogniseColumns } from '../../../../server/domain/roster/columns.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const vocabulary = loadTemplates().roster

describe('recogniseColumns', () => {
  it.each([
    ['姓名', 'name'],
    ['性别', 'gender'],
    ['手机号', 'phone'],
    ['手机', 'phone'],
    ['联系电话', 'phone'],
    ['电话', 'phone'],
    ['手机号（必填）', 'phone'],
    ['*手机号码', 'phone'],
    ['手 机', 'phone'],
    ['身份证号', 'idNumber'],
    ['身份证', 'idNumber'],
    ['证件号码', 'idNumber'],
    ['微信号', 'wechat'],
    ['微信ID', 'wechat'],
    ['省份', 'province'],
    ['地市', 'city'],
    ['区县', 'county'],
    ['县区', 'county'],
    ['县（市、区）', 'county'],
    ['乡镇', 'township'],
    ['团支部', 'branch'],
    ['单位', 'unit'],
    ['组织单位', 'unit'],
    ['单位编码', 'unitCode'],
    ['体系', 'programme'],
    ['角色', 'role'],
    ['职务', 'title'],
    ['人员类别', 'category'],
    ['类别', 'category'],
    ['服务单位', 'post'],
    ['派出高校', 'university'],
    ['毕业院校', 'university'],
    ['服务开始日期', 'startsOn'],
    ['服务开始日期(YYYY-MM-DD)', 'startsOn'],
    ['服务结束日期', 'endsOn'],
    ['状态', 'status'],
    ['在乡外出', 'residence'],
    ['在乡/外出', 'residence'],
    ['居住', 'residence'],
    ['职业', 'occupation'],
  ] as const)('%s', (header, id) => {
    expect(recogniseColumns(['序号', header], vocabulary).at).toEqual({ [id]: 1 })
  })

  it('in any order, keeping what it does not know', () => {
    const { at, extra, missing } = recogniseColumns(['备注', '电话', '', '姓名'], vocabulary)
    expect(at).toEqual({ name: 3, phone: 1 })
    expect(extra).toEqual([
      { position: 0, header: '备注' },
      { position: 2, header: '第3列' },
    ])
    expect(missing).toEqual([])
  })

  it('takes the better name where two columns mean the same, and keeps the other', () => {
    const { at, extra, repeated } = recogniseColumns(['姓名', '联系方式', '手机号'], vocabulary)
    expect(at.phone).toBe(2)
    expect(extra).toEqual([{ position: 1, header: '联系方式' }])
    expect(repeated).toEqual([])
  })

  it('says which heading occurs twice', () => {
    expect(recogniseColumns(['姓名', '手机号', '姓 名'], vocabulary).repeated).toEqual(['姓名'])
  })

  it('says what is missing', () => {
    expect(recogniseColumns(['性别', '区县'], vocabulary).missing).toEqual(['姓名', '手机号或身份证号'])
    const required = { required: ['name', 'branch'] as const, requiredOneOf: [] }
    expect(recogniseColumns(['姓名'], vocabulary, required).missing).toEqual(['团支部'])
  })
})

describe('mapColumns', () => {
  const headers = ['大名', '手机号', '联系电话', '', '姓名']

  it('without a word of the office is what we make out', () => {
    expect(mapColumns(headers, vocabulary, {})).toEqual(recogniseColumns(headers, vocabulary))
    expect(mapColumns(headers, vocabulary, { 别的: 'phone' })).toEqual(recogniseColumns(headers, vocabulary))
  })

  it.each([
    ['another heading is the name', { 大名: 'name' }, { name: 0, phone: 1 }, [2, 3, 4]],
    ['another column is the phone', { 联系电话: 'phone' }, { name: 4, phone: 2 }, [0, 1, 3]],
    ['a column without a heading', { 第4列: 'idNumber' }, { name: 4, phone: 1, idNumber: 3 }, [0, 2]],
    ['one that is only kept', { 手机号: 'keep', 联系电话: 'phone' }, { name: 4, phone: 2 }, [0, 1, 3]],
  ])('%s', (_what, mapping, at, kept) => {
    const found = mapColumns(headers, vocabulary, mapping)
    expect(found.at).toEqual(at)
    expect(found.extra.map(each => each.position)).toEqual(kept)
    expect([found.missing, found.repeated]).toEqual([[], []])
  })

  it('says what is missing now, and what was said twice', () => {
    expect(mapColumns(headers, vocabulary, { 手机号: 'keep' }).missing).toEqual(['手机号或身份证号'])
    expect(mapColumns(headers, vocabulary, { 大名: 'name', 姓名: 'name' }).repeated).toEqual(['姓名'])
  })
})

it.each([
  [['榆阳区西部计划志愿者名册'], false],
  [['填报单位：榆阳区项目办', '填报时间：2026年3月'], false],
  [['姓名', '手机号'], true],
  [['序号', '姓名', '', '性别'], true],
  [['姓名'], false],
])('isHeaderRow %j', (cells, isHeader) => {
  expect(isHeaderRow(cells, vocabulary)).toBe(isHeader)
})
