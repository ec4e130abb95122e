import { describe, expect, test } from 'vitest'
import { scopeOf, scopeRules } from '../../../../server/domain/join-requests/scope.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const templates = loadTemplates()

// 1 全国 › 2 省 › 3 市 › 4 县 › 5 团支部
const places = {
  nation: { unitId: 1, unitPath: '/1/', unitKind: 'national-office', parentId: null, unitName: '全国' },
  province: { unitId: 2, unitPath: '/1/2/', unitKind: 'province-office', parentId: 1, unitName: '陕西省' },
  city: { unitId: 3, unitPath: '/1/2/3/', unitKind: 'city-office', parentId: 2, unitName: '榆林市' },
  county: { unitId: 4, unitPath: '/1/2/3/4/', unitKind: 'county-office', parentId: 3, unitName: '榆阳区' },
  branch: {
    unitId: 5,
    unitPath: '/1/2/3/4/5/',
    unitKind: 'volunteer-branch',
    parentId: 4,
    unitName: '第一团支部',
  },
  otherBranch: {
    unitId: 6,
    unitPath: '/1/2/3/4/6/',
    unitKind: 'volunteer-branch',
    parentId: 4,
    unitName: '第二团支部',
  },
  // a number that another's begins with
  longer: { unitId: 45, unitPath: '/1/2/3/45/', unitKind: 'county-office', parentId: 3, unitName: '定边县' },
  university: {
    unitId: 9,
    unitPath: '/1/8/9/',
    unitKind: 'university-office',
    parentId: 8,
    unitName: '西北大学',
  },
} as const
type Place = keyof typeof places

const row = (place: Place, role: string, more: { category?: string; isContact?: boolean } = {}) => ({
  ...places[place],
  role,
  category: null,
  isContact: false,
  ...more,
})

describe('whom a group is for', () => {
  test.each<[kind: string, at: Place, row: ReturnType<typeof row>, is: boolean, universities?: string[]]>([
    ['branch', 'branch', row('branch', 'volunteer'), true],
    ['branch', 'branch', row('branch', 'branch-secretary'), true],
    ['branch', 'branch', row('otherBranch', 'volunteer'), false],
    ['branch', 'branch', row('county', 'staff'), true],
    ['branch', 'branch', row('county', 'league-leader'), true],
    ['branch', 'branch', row('county', 'volunteer'), false],
    ['branch', 'branch', row('city', 'in-charge'), false],
    ['branch', 'branch', row('city', 'in-charge', { isContact: true }), true],
    ['graduate-teaching', 'county', row('branch', 'volunteer', { category: '研究生支教团' }), true],
    ['graduate-teaching', 'county', row('otherBranch', 'volunteer', { category: '研究生支教团' }), true],
    ['graduate-teaching', 'county', row('branch', 'volunteer', { category: '全国项目' }), false],
    ['graduate-teaching', 'county', row('branch', 'volunteer'), false],
    ['graduate-teaching', 'county', row('county', 'staff'), false],
    ['graduate-teaching', 'county', row('university', 'university-league-head'), false],
    ['graduate-teaching', 'county', row('university', 'university-league-head'), true, ['西北大学']],
    ['graduate-teaching', 'county', row('university', 'university-league-head'), false, ['北京大学']],
    ['city-work', 'city', row('county', 'in-charge'), true],
    ['city-work', 'city', row('longer', 'in-charge'), true],
    ['city-work', 'city', row('county', 'staff'), false],
    ['city-work', 'city', row('branch', 'volunteer'), false],
    ['city-work', 'city', row('province', 'in-charge'), false],
    ['province-work', 'province', row('university', 'in-charge'), false],
  ])('%s of the %s, %o: %s', (kind, at, entry, is, universities = []) => {
    expect(scopeOf(entry, places[at], scopeRules(templates, 'xibu', kind), universities) !== null).toBe(is)
  })

  test('a kind that may be merged into another is in scope of it, and marked', () => {
    const rules = scopeRules(templates, 'shaoxiandui', 'city-department-heads')
    const at = { unitId: 2, unitPath: '/1/2/' }
    const entry = (role: string) => ({
      ...row('city', role),
      unitKind: 'city-committee',
    })
    expect(scopeOf(entry('youth-department-head'), at, rules, [])).toMatchObject({ isMerged: false })
    expect(scopeOf(entry('chief-counsellor'), at, rules, [])).toMatchObject({ isMerged: true })
  })
})
