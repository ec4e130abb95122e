import { describe, expect, test } from 'vitest'
import type { UnitRow } from '../../../db/queries/units.ts'
import { roleOf, unitFinder } from '../../../server/domain/roster/resolve-unit.ts'
import type { RosterRow } from '../../../server/domain/roster/roster-row.ts'
import { loadTemplates } from '../../../server/templates.ts'

const templates = loadTemplates()
const row = (fields: Partial<RosterRow>): RosterRow => ({
  line: 2,
  name: '张三',
  gender: null,
  phone: '',
  idNumber: '',
  wechat: '',
  province: '',
  city: '',
  county: '',
  township: '',
  branch: '',
  unit: '',
  unitCode: '',
  programme: '',
  role: '',
  title: '',
  category: '',
  post: '',
  university: '',
  startsOn: null,
  endsOn: null,
  status: null,
  residence: null,
  occupation: '',
  extra: {},
  ...fields,
})

describe('the role that a title means', () => {
  test.each<[programme: string, unitKind: string, written: string, role: string | null]>([
    ['xibu', 'volunteer-branch', '团支部书记', 'branch-secretary'],
    ['xibu', 'volunteer-branch', '书记', 'branch-secretary'],
    ['xibu', 'volunteer-branch', '副书记', 'branch-deputy-secretary'],
    ['xibu', 'volunteer-branch', '团支部副书记', 'branch-deputy-secretary'],
    ['xibu', 'volunteer-branch', '', 'volunteer'],
    ['xibu', 'volunteer-branch', '志愿者', 'volunteer'],
    ['xibu', 'county-office', '项目办负责同志', 'in-charge'],
    ['xibu', 'national-office', '志愿者', null],
    ['shaoxiandui', 'city-committee', '书记', null],
    ['qingnong', 'township-committee', '乡镇团委成员', 'committee-member'],
    ['qingnong', 'township-committee', '没听说过', null],
  ])('%s %s: “%s” is %s', (programme, unitKind, written, role) => {
    expect(roleOf(templates.programme(programme), unitKind, row({ title: written }))).toBe(role)
  })
})

describe('the unit that a row means', () => {
  const unit = (id: number, name: string, parentId: number | null): UnitRow => ({
    id,
    name,
    parentId,
    programme: 'xibu',
    code: String(id),
    kind: '',
    level: '',
    path: '',
    managerId: null,
    createdAt: new Date(0),
  })
  const city = unit(1, '榆林市', null)
  const county = unit(2, '榆阳区', 1)
  const township = unit(3, '镇川镇', 2)
  const branch = unit(4, '第一团支部', 2)
  const places = { city: '榆林市', county: '榆阳区', township: '镇川镇', branch: '第一团支部' }

  test('a branch is found under its county, also when the row names a township', () => {
    expect(unitFinder([city, county, township, branch]).find(row(places))).toEqual({ unit: branch })
  })
  test('one that is new is made under the county', () => {
    expect(unitFinder([city, county, township]).find(row(places))).toEqual({
      newBranch: { name: '第一团支部', county },
    })
  })
  test('two of one name need their county', () => {
    const other = unit(5, '定边县', 1)
    const finder = unitFinder([city, county, other, branch, unit(6, '第一团支部', 5)])
    expect(finder.find(row({ branch: '第一团支部' }))).toHaveProperty('reason')
    expect(finder.find(row({ county: '定边县', branch: '第一团支部' }))).toHaveProperty('unit.id', 6)
  })
  test('of two of one name the one in the office’s own subtree is meant; another is only found where it is alone', () => {
    const at = (each: UnitRow, path: string) => ({ ...each, path })
    const other = at(unit(5, '定边县', 1), '/1/5/')
    const theirs = at(unit(6, '第一团支部', 5), '/1/5/6/')
    const all = [at(city, '/1/'), at(county, '/1/2/'), other, at(branch, '/1/2/4/'), theirs]
    const finder = unitFinder(all, '/1/2/')
    expect(finder.find(row({ branch: '第一团支部' }))).toHaveProperty('unit.id', 4)
    expect(finder.find(row({ county: '定边县', branch: '第一团支部' }))).toHaveProperty('unit.id', 6)
  })
})
