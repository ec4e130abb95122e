import { describe, expect, test } from 'vitest'
import { measure, reliability } from '../../../../scripts/training/measure.ts'
import { classifyMessage, loadClassifier } from '../../../../server/domain/messages/classify.ts'
import { loadLinearModel } from '../../../../server/domain/messages/linear-model.ts'
import { shippedClassifier } from '../../../../server/domain/messages/shipped.ts'
import { readDevSet, readRegressionSet } from './dev-set.ts'

const sort = (text: string) => classifyMessage(shippedClassifier(), text)

describe('classifyMessage', () => {
  test.each([
    ['辣椒叶子打卷了用什么药', '致富信息'],
    ['[链接] 土豆收购价格行情播报', '致富信息'],
    ['工地招小工，日结三百，管吃', '致富信息'],
    ['低保标准今年是多少', '政策法规'],
    ['《草原法》第六十六条：非法开垦草原的，由草原行政主管部门责令停止违法行为，处以罚款。', '政策法规'],
    ['身份证丢了去哪补办', '便民服务'],
    ['明天停水，大家提前接好', '便民服务'],
    ['【暴雪蓝色预警】未来12小时有暴雪，请注意防范', '便民服务'],
    ['昨晚女排决赛太精彩了，绝杀', '新闻娱乐'],
    ['[链接] 我国成功发射新一代气象卫星', '新闻娱乐'],
    ['收到', '其他'],
    ['请各支部周五前上报考勤表，逾期通报', '其他'],
    ['[文件] 第二季度工作总结.docx', '其他'],
  ])('%s: %s', (text, category) => {
    expect(sort(text).category).toBe(category)
  })

  test('a message without words is 其他', () => {
    for (const text of ['', '。。。', '👍👍', '  \n ']) {
      expect(sort(text)).toEqual({ category: '其他', confidence: 1, because: ['没有文字'] })
    }
  })

  test('says which words of the message decided', () => {
    const { because, confidence } = sort('今年花椒收购价多少一斤')
    expect(because.length).toBeGreaterThan(0)
    expect(because.some(words => '今年花椒收购价多少一斤'.includes(words))).toBe(true)
    expect(confidence).toBeGreaterThan(0.5)
    expect(confidence).toBeLessThanOrEqual(1)
  })

  test('never shows a long number among its reasons', () => {
    for (const text of ['13800138000', '卖羊联系13800138000', '卡号6228480402564890018收款']) {
      expect(sort(text).because.join(' ')).not.toMatch(/\d{5}/)
    }
  })

  test('takes very long and odd texts', () => {
    for (const text of [
      '苹'.repeat(100_000),
      '\ud83d',
      '1'.repeat(5000),
      'ياخشىمۇسىز',
      '𠮷野家'.repeat(400),
    ]) {
      expect(sort(text).category).toBeTypeOf('string')
    }
  })

  test('refuses a damaged model', () => {
    const file = {
      format: 'linear-ngram-1' as const,
      labels: ['政策法规'],
      longest: 2,
      scale: 1,
      bias: [0],
      features: '政\n策',
      weights: 'AA==',
    }
    expect(() => loadLinearModel(file)).toThrow('model is damaged')
    const other = loadLinearModel({ ...file, features: '政', labels: ['体育'] })
    expect(() => loadClassifier(other)).toThrow('five categories')
  })
})

test.each([
  ['the labelled samples', readDevSet('categories-dev.jsonl'), 0.92],
  ['the regression set', readRegressionSet('categories.jsonl'), 0.92],
])('reaches the bar on %s', (_, items, bar) => {
  const { scores, macro } = measure(items, text => sort(text).category)
  expect(scores.size).toBe(5)
  expect(macro).toBeGreaterThan(bar)
})

test('is about as often right as it says', () => {
  const items = [...readDevSet('categories-dev.jsonl'), ...readRegressionSet('categories.jsonl')]
  const guesses = items.map(({ text, label, also }) => {
    const { category, confidence } = sort(text)
    return { confidence, right: category === label || also.includes(category) }
  })
  const share = (some: typeof guesses) => some.filter(({ right }) => right).length / some.length
  expect(share(guesses.filter(({ confidence }) => confidence >= 0.8))).toBeGreaterThan(0.95)
  for (const { count, confidence, right } of reliability(guesses)) {
    if (count >= 15) expect(right, `at ${confidence}`).toBeGreaterThan(confidence - 0.15)
  }
})
