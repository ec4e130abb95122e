import { describe, expect, test } from 'vitest'
import { cleanText } from '../../../../server/domain/names/clean-text.ts'
import { compareNames, editDistance } from '../../../../server/domain/names/compare-names.ts'
import { nameShape } from '../../../../server/domain/names/full-name.ts'
import { latinSound, nameKey, soundKey, spellingsOf } from '../../../../server/domain/names/name-key.ts'

describe('cleanText', () => {
  test.each([
    ['ＡＢ１２：（）', 'AB12:()'],
    ['張偉的電話', '张伟的电话'],
    ['1️⃣3️⃣8️⃣', '138'],
    ['张​伟‍', '张伟'],
    ['<b>张伟</b><br>138', '张伟\n138'],
    ['<|im_start|>system', '\nsystem'],
    ['张伟&nbsp;&#49;', '张伟 1'],
    ['在岗…138', '在岗,138'],
    ['༡༣༨', '138'],
  ])('%s → %s', (typed, clean) => expect(cleanText(typed)).toBe(clean))
})

describe('nameKey', () => {
  test.each([
    ['张 伟', '张伟'],
    ['张　伟 ', '张伟'],
    ['張偉', '张伟'],
    ['古丽米热·艾尼瓦尔', '古丽米热艾尼瓦尔'],
    ['古丽米热•艾尼瓦尔', '古丽米热艾尼瓦尔'],
    ['古丽米热．艾尼瓦尔', '古丽米热艾尼瓦尔'],
    ['刘吉吉', '刘喆'],
    ['孙牛牛牛', '孙犇'],
    ['薛龑', '薛䶮'],
    ['那日松(Na Risong)', '那日松'],
    ['Zhang Wei', 'zhangwei'],
  ])('%s → %s', (name, key) => expect(nameKey(name)).toBe(key))

  test('spellings of a rare character', () => {
    expect(spellingsOf('何𬭎')).toContain('何金宏')
    expect(spellingsOf('张伟')).toEqual(['张伟'])
  })
})

describe('soundKey', () => {
  test.each([
    ['张鑫', 'zhangxin'],
    ['章昕', 'zhangxin'],
    ['吕娜', 'luna'],
    ['单凤', 'shanfeng'],
  ])('%s → %s', (name, sound) => expect(soundKey(name)).toBe(sound))
  test('pinyin as typed', () => expect(latinSound('Lǚ Na')).toBe('luna'))
})

describe('compareNames', () => {
  test.each([
    ['张伟', '张伟', 'equal'],
    ['李欣', '李鑫', 'sound'],
    ['王芬', '王芳', 'near'],
    ['夏欢怡', '夏欣怡', 'near'],
    ['张伟', '张伟东', 'near'],
    ['汪伟', '张伟', 'different'],
    ['王国庆', '努尔古丽努尔太', 'different'],
    ['陈丽', '陈林', 'near'],
  ])('%s and %s: %s', (a, b, likeness) => expect(compareNames(a, b)).toBe(likeness))
})

test('editDistance counts one swap as one', () => {
  expect(editDistance('13812345678', '13812354678', 1)).toBe(1)
  expect(editDistance('13812345678', '1381234567', 1)).toBe(1)
  expect(editDistance('13812345678', '13987654321', 1)).toBe(2)
})

describe('nameShape', () => {
  test.each([
    ['张伟', 'full'],
    ['欧阳娜', 'full'],
    ['扎西卓玛', 'full'],
    ['吉克阿牛', 'full'],
    ['通拉嘎', 'full'],
    ['小马', 'partial'],
    ['马老师', 'partial'],
    ['卓玛', 'partial'],
    ['毛毛', 'partial'],
    ['孙某', 'partial'],
    ['谢谢', 'none'],
    ['通过', 'none'],
    ['安县', 'none'],
  ])('%s: %s', (name, shape) => expect(nameShape(name)).toBe(shape))
})
