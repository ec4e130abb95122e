import { describe, expect, test } from 'vitest'
import { readWords } from '../../../../bot/commands/answer.ts'
import { readAmount, readAnswer } from '../../../../server/domain/notices/read-answer.ts'

describe('a number as people write it', () => {
  test.each([
    ['38', '', 38],
    ['38人', '人', 38],
    ['３８人', '人', 38],
    ['１２人', '', 12],
    ['共 38 人', '人', 38],
    ['三十八', '', 38],
    ['三十八人', '人', 38],
    ['十', '', 10],
    ['两', '', 2],
    ['一百零五', '', 105],
    ['一百五', '', 150],
    ['一百一十五', '', 115],
    ['三千二', '', 3200],
    ['三千零二十', '', 3020],
    ['两万三千', '', 23_000],
    ['一亿两千万', '', 120_000_000],
    ['二〇二六', '', 2026],
    ['1,200', '', 1200],
    ['1，200.50', '', 1200.5],
    ['1.13万', '', 11_300],
    ['3万元', '元', 30_000],
    ['3万元', '万元', 3],
    ['没有', '人', 0],
    ['零', '', 0],
    ['0', '', 0],
    ['合计：12户', '户', 12],
  ])('%s counted in “%s” is %d', (written, measure, amount) => {
    expect(readAmount(written, measure)).toBe(amount)
  })

  test.each([
    '',
    '三十多',
    '38左右',
    '30-40人',
    '约38',
    '38人45户',
    '不知道',
    '1,20',
    '万',
    '五六',
    '-3',
    '38.12345',
    '99999999999999',
    '十个人左右',
  ])('“%s” is no exact number', written => {
    // digits side by side are read one by one: 五六 is the one of these that is a number
    expect(readAmount(written)).toBe(written === '五六' ? 56 : null)
  })
})

const choice = { kind: 'choice' as const, question: '完成了吗', choices: ['已完成', '正在办', '有困难'] }

describe('an answer as the question wants it', () => {
  test.each([
    ['1', '已完成', 1],
    ['二', '正在办', 2],
    ['有困难', '有困难', 3],
    ['已完成了。', '已完成', 1],
    ['正在', '正在办', 2],
  ])('%s chooses %s', (written, text, amount) => {
    expect(readAnswer(choice, written)).toEqual({ text, amount })
  })

  test.each<[written: string, choices: string[], place: number | null]>([
    // the number in the words wins over the place
    ['1', ['3人', '2人', '1人'], 3],
    ['３人', ['1人', '2人', '3人'], 3],
    ['10', ['5人', '１０人'], 2],
    ['2', ['没有', '有'], 2],
    // it is in two, or in the words of one and the place of the other
    ['3', ['1至3人', '3至5人'], null],
    ['1', ['分别办', '统一办'], null],
    ['有', ['有困难', '有进展'], null],
  ])('%s of %j chooses the one at %j', (written, choices, place) => {
    const read = readAnswer({ kind: 'choice', question: '？', choices }, written)
    expect('error' in read ? null : read.amount).toBe(place)
  })

  test.each(['4', '0', '没有完成', '', '1.5'])('“%s” chooses nothing, and the choices are shown', written => {
    expect(readAnswer(choice, written)).toEqual({
      error: expect.stringContaining('1 已完成、2 正在办、3 有困难'),
    })
  })

  test.each([
    ['number', '三十多', '请答一个确切的数字'],
    ['text', ' ', '请写上答复'],
    ['text', '长'.repeat(1001), '1001 字'],
    ['file', 'x', '请打开网页上传'],
  ] as const)('%s: %s is refused with what is wanted', (kind, written, words) => {
    expect(readAnswer({ kind, question: '？' }, written)).toEqual({ error: expect.stringContaining(words) })
  })

  test('a text stays as it was written', () => {
    expect(readAnswer({ kind: 'text', question: '？' }, ' 已完成，\n共三场 ')).toEqual({
      text: '已完成，\n共三场',
      amount: null,
    })
  })
})

describe('which notice an answer in the chat is for', () => {
  const open = (noticeId: number) => ({ noticeId, open: 1 })
  const done = (noticeId: number) => ({ noticeId, open: 0 })
  test.each([
    ['12 38', [open(12)], 12, '38'],
    ['12号：已完成', [open(12), open(13)], 12, '已完成'],
    ['38', [open(12)], 12, '38'],
    ['三十八人', [open(12)], 12, '三十八人'],
    ['已完成，共 3 场', [open(12)], 12, '已完成，共 3 场'],
    ['3 个村', [open(12)], 12, '3 个村'],
    ['3 个村', [done(3), open(12)], 12, '3 个村'],
    ['12 40', [done(12)], 12, '40'],
    // nobody can tell whether it was meant as the answer, so the question is shown
    ['12', [open(12)], 12, ''],
    ['', [open(12)], null, ''],
  ])('答 %s', (input, questions, noticeId, words) => {
    expect(readWords(input, questions)).toEqual({ noticeId, words })
  })

  test.each([
    ['38', [open(12), open(13)], '有 2 个通知要您答复（12、13），请写上编号'],
    ['13 38', [open(12)], '没有编号是 13、要您答复的通知。要您答复的是通知 12'],
    ['40', [done(12)], '请写上编号，如：答 12'],
    ['40', [], '没有要您答复的通知'],
  ])('答 %s asks which', (input, questions, words) => {
    expect(readWords(input, questions)).toEqual({ error: expect.stringContaining(words) })
  })
})
