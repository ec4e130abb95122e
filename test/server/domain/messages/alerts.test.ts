import { describe, expect, test } from 'vitest'
import { measure } from '../../../../scripts/training/measure.ts'
import { findAlerts } from '../../../../server/domain/messages/alerts.ts'
import { readDevSet, readRegressionSet } from './dev-set.ts'

const kinds = (text: string) => findAlerts(text).map(({ kind }) => kind)

describe('findAlerts', () => {
  test.each([
    ['有人掉河里了，快来救人', 'safety'],
    ['我不想活了，药已经吃了', 'safety'],
    ['宿舍着火了，里面还有两个同学出不来', 'safety'],
    ['后爸晚上进我房间，老师我害怕', 'safety'],
    ['我身份证号11010519491231002X，帮我报名', 'privacy'],
    ['工资打这个卡 6228480402564890018', 'privacy'],
    ['验证码 493021，快登', 'privacy'],
    ['志愿汇密码是 abc12345', 'privacy'],
    ['王欣13800138000，李航13900139000，都通知一下', 'privacy'],
    ['三年级的马小龙，爸爸坐牢，妈妈有精神病，家住红旗村四组', 'privacy'],
    ['这份文件是机密级的，我拍了照片发群里', 'secret'],
    ['明天面试的题我拿到了，别外传', 'secret'],
    ['干部调整名单还没公示，先给你们看看', 'secret'],
  ])('%s: %s', (text, kind) => {
    expect(kinds(text)[0]).toBe(kind)
  })

  test.each([
    '补贴拖了三个月没发，再不给说法我们就一起去省里反映',
    '领导天天让我们写材料，形式主义害死人',
    '宿舍漏雨没人修，我要打12345投诉',
    '食堂太难吃了，发抖音曝光',
    '征地补偿太低，村民准备联名上访',
    '笑死我了，这也太好笑了',
    '昨晚狼人杀我第一个就被刀了',
    '明天消防演练，听到警报不要慌',
    '[链接] 某国地震已致百人遇难',
    '[链接] 国家安全部发布间谍案典型案例',
    '[文件] 保密承诺书（空白模板）.doc',
    '联系人：王老师，13800138000',
    '订单号20260708113344556677，帮查一下',
    '手机尾号8837的快递在门口',
    '腾讯会议 421886339 密码 123456',
    '好的收到',
    '',
  ])('%s: none', text => {
    expect(findAlerts(text)).toEqual([])
  })

  test('points at the place and never repeats the number', () => {
    const text = '大家好，我的身份证号是11010519491231002X，谢谢'
    const [alert] = findAlerts(text)
    expect(alert).toMatchObject({ kind: 'privacy', because: '身份证号' })
    expect(text.slice(alert?.index, (alert?.index ?? 0) + (alert?.length ?? 0))).toBe('11010519491231002X')
  })

  test('every place lies inside the text', () => {
    for (const { text } of readDevSet('alerts-dev.jsonl')) {
      for (const { index, length } of findAlerts(text)) {
        expect(index).toBeGreaterThanOrEqual(0)
        expect(length).toBeGreaterThan(0)
        expect(index + length).toBeLessThanOrEqual(text.length)
      }
    }
  })

  test('puts danger before data', () => {
    const order = kinds('救命，王小梅被车撞了在流血，她身份证11010519491231002X')
    expect(order.slice(0, 2)).toEqual(['safety', 'privacy'])
  })
})

test.each([
  ['the labelled samples', readDevSet('alerts-dev.jsonl')],
  ['the regression set', readRegressionSet('alerts.jsonl')],
])('reaches the bar on %s', (_, items) => {
  const { scores } = measure(items, text => kinds(text)[0] ?? 'none')
  for (const kind of ['safety', 'privacy', 'secret']) {
    expect(scores.get(kind)?.recall, kind).toBeGreaterThanOrEqual(0.9)
    expect(scores.get(kind)?.precision, kind).toBeGreaterThanOrEqual(0.85)
  }
})
