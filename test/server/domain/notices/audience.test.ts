import { describe, expect, test } from 'vitest'
import type { NoticeAudience } from '../../../../db/queries/notices.ts'
import { audienceWords } from '../../../../server/domain/notices/audience.ts'
import { loadTemplates } from '../../../../server/templates.ts'

const programme = loadTemplates().programme('qingnong')

describe('an audience in words', () => {
  test.each<[NoticeAudience, string[], string]>([
    [{}, [], '所有的群'],
    [{ levels: ['county', 'township'] }, [], '县级、乡镇的群'],
    [{ groupKinds: ['youth'] }, [], '团青群'],
    [
      { levels: ['township'], groupKinds: ['youth'], unitIds: [1, 2] },
      ['榆阳区', '定边县'],
      '乡镇的团青群，只发榆阳区、定边县和下级',
    ],
    [
      { unitIds: [1, 2, 3, 4, 5, 6] },
      ['甲', '乙', '丙', '丁', '戊', '己'],
      '所有的群，只发甲、乙、丙、丁、戊等 6 个单位和下级',
    ],
    [{ unansweredOf: 12 }, [], '所有的群，只发还没有答复通知 12 的单位'],
    [{ gotNotice: 7 }, [], '所有的群，只发收到过通知 7 的群'],
  ])('%j', (audience, unitNames, words) => {
    expect(audienceWords(audience, { programme, unitNames })).toBe(words)
  })
})
