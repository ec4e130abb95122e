import { describe, expect, test } from 'vitest'
import { levelOfAuthor } from '../../../../server/domain/notices/approval.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const templates = loadTemplates()
const role = (unitPath: string, level: string, name = 'staff') => ({
  unitId: 1,
  unitName: '单位',
  unitPath,
  programme: 'xibu',
  level,
  role: name,
  title: null,
})
const city = { path: '/1/2/3/', level: 'city' }

describe('the level by which a notice is judged', () => {
  test.each([
    ['an officer of the city itself', [role('/1/2/3/', 'city')], 'city'],
    ['an officer of the province writing in its name', [role('/1/2/', 'province')], 'province'],
    ['both', [role('/1/2/3/', 'city'), role('/1/2/', 'province')], 'province'],
    ['one with an office in another province', [role('/1/2/3/', 'city'), role('/1/9/', 'province')], 'city'],
    [
      'one who stands above without running anything',
      [role('/1/', 'national', 'guidance-centre-head'), role('/1/2/3/', 'city')],
      'city',
    ],
  ])('%s', (_who, roles, level) => {
    expect(levelOfAuthor(templates, { roles }, city)).toBe(level)
  })
})
