import { describe, expect, test } from 'vitest'
import { CATEGORIES, isCategory, parseCategory } from '../../../../server/domain/messages/categories.ts'

describe('parseCategory', () => {
  test.each([
    ['政策', '政策法规'],
    ['法规', '政策法规'],
    ['政策类', '政策法规'],
    ['致富', '致富信息'],
    [' 新闻 ', '新闻娱乐'],
    ['“娱乐”', '新闻娱乐'],
    ['便民。', '便民服务'],
    ['服务', '便民服务'],
    ['其它', '其他'],
    ['其他类', '其他'],
    ['3', '新闻娱乐'],
    ['５', '其他'],
  ])('%s is %s', (word, category) => {
    expect(parseCategory(word)).toBe(category)
  })

  test.each(['', '类', '天气', '6', '0', 'toString', '政策和新闻'])('%s names none', word => {
    expect(parseCategory(word)).toBeNull()
  })

  test('every column names itself', () => {
    for (const category of CATEGORIES) {
      expect(parseCategory(category)).toBe(category)
      expect(isCategory(category)).toBe(true)
    }
    expect(isCategory('新闻')).toBe(false)
  })
})
