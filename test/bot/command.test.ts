import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../bot/bot.ts'
import { matchCommand, nearestCommands, plainWords } from '../../bot/command.ts'
import { codeIn } from '../../bot/commands/bind.ts'
import { readCountLine } from '../../bot/commands/record.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

const matched = (text: string) => {
  const found = matchCommand(commands, text)
  return found && [found.command.name, found.input]
}

describe('the words', () => {
  test('no two commands share one', () => {
    const words = commands.flatMap(command => [command.name, ...command.aliases])
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([])
  })

  test('every example is understood as its own command', () => {
    for (const command of commands) expect(matched(command.example)?.[0], command.example).toBe(command.name)
  })

  test('every name and alias alone is its own command', () => {
    for (const command of commands)
      for (const word of [command.name, ...command.aliases])
        expect(matched(word), word).toEqual([command.name, ''])
  })
})

test.each([
  ['转', '转', ''],
  ['转 12', '转', '12'],
  ['转12', '转', '12'],
  ['已转发！', '转', ''],
  ['转好了。', '转', ''],
  ['“转”', '转', ''],
  ['回复：转', '转', ''],
  ['请回复“转”', '转', ''],
  ['收到👌', '收', ''],
  ['收到 3', '收', '3'],
  ['同意3号', '同意', '3号'],
  ['同意三', '同意', '三'],
  ['拒绝 3 不是本县志愿者。', '拒绝', '3 不是本县志愿者。'],
  ['通知：政策 各县请报送。', '通知', '政策 各县请报送。'],
  ['发送“帮助”', '帮助', ''],
  ['？', '帮助', ''],
  ['登记致富3条', '登记', '致富3条'],
  ['统计九月', '统计', '九月'],
  ['统计上月', '统计', '上月'],
  ['核对 12\n1. 张三\n2. 李四', '核对', '12\n1. 张三\n2. 李四'],
  ['发码王小明', '发码', '王小明'],
])('%j is %s', (text, name, input) => {
  expect(matched(text)).toEqual([name, input])
})

test.each([
  '统计表在哪',
  '统计局招聘调查员',
  '转：明天3点开会，请准时参加',
  '转发给大家看看这个政策',
  '收到上级通知，明天停电',
  '改革开放四十年',
  '登记失业人员请注意',
  '活动预告：本周六上午九点',
  '群里有人发广告怎么办',
  '绑定社保卡的同志请注意了，明天开始办理银行卡激活',
])('%j begins with a command word and is none', text => {
  expect(matched(text)).toBeNull()
})

test.each([
  ['通只', '通知'],
  ['登计', '登记'],
  ['我要发通知怎么弄', '通知'],
  ['月度报表', '月报'],
])('%s: the nearest is %s', (text, name) => {
  expect(nearestCommands(commands, text).map(command => command.name)).toContain(name)
})

test('never more than three, and none for what is like nothing', () => {
  expect(nearestCommands(commands, '通知统计核对登记建群').length).toBe(3)
  expect(nearestCommands(commands, 'abc')).toEqual([])
})

test.each([
  ['好的。', '好的'],
  ['「是」', '是'],
  ['1.', '1'],
  ['。', '。'],
])('%s means %s', (text, words) => {
  expect(plainWords(text)).toBe(words)
})

test('what is left out at the end is what one pattern says, halves of pictures and all', () => {
  const pattern = /(?:[\s。．.!！~～、,，;；]|\p{Extended_Pictographic}|\u200d|\ufe0f)+$/u
  const signs = fc.constantFrom(
    ...['好', '1', 'a', ' ', '。', '！', '😊', '👩\u200d🌾', '㊗', '\ufe0f', '\ud83d', '\ude0a'],
  )
  fc.assert(
    fc.property(fc.array(signs, { maxLength: 8 }), parts => {
      const text = `x${parts.join('')}`
      expect(plainWords(text)).toBe(text.replace(pattern, ''))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['7kxm2pq9', '7KXM2PQ9'],
  ['7KXM 2PQ9', '7KXM2PQ9'],
  ['镇川镇团委书记 王镇川 的绑定码：7KXM2PQ9\n请只发给本人', '7KXM2PQ9'],
  ['王镇川', null],
  ['13900000011', null],
])('the code in %j', (text, code) => {
  expect(codeIn(text)).toBe(code)
})

test('a line of counts', () => {
  expect(readCountLine('12 13 致富3条 便民 昨天', '2026-09-01')).toEqual({
    groupIds: [12, 13],
    isAll: false,
    counts: [
      { category: '致富信息', count: 3 },
      { category: '便民服务', count: 1 },
    ],
    day: '2026-08-31',
  })
  expect(readCountLine('致富 3条 致富 2条', '2026-09-01')).toHaveProperty('error')
})

describe('帮助', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
  })
  afterAll(() => stage.close())

  test('shows each what they can do, all of it, in one message, with an example of each', async () => {
    const { sim } = stage
    const city = sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
    const county = sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const stranger = sim.addPerson({ name: '路人', openId: 'o-stranger' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    const all = await stage.say(county.id, '帮助')
    expect(Buffer.byteLength(all)).toBeLessThanOrEqual(1024)
    const shown = all
      .split('\n')
      .flatMap(line => (line.startsWith('【') ? line.split(/[】　]/).slice(1) : []))
    expect(shown.toSorted()).toEqual(commands.map(command => command.name).toSorted())
    for (const command of commands) {
      const one = await stage.say(county.id, `帮助 ${command.name}`)
      expect(one).toContain(command.usage)
      expect(one).toContain(command.example)
    }
    const few = await stage.say(stranger.id, '帮助')
    for (const command of commands)
      expect(few.includes(`· ${command.usage}`), command.name).toBe(command.audience === 'anyone')
  })

  test('what is not understood gets the nearest commands and never silence', async () => {
    const stranger = stage.sim.addPerson({ name: '又一个', openId: 'o-other' })
    for (const text of ['入裙', '绑丁', 'asdf', '。', '😀', '<script>', '谢谢', '你好', '0', 'null'])
      expect((await stage.say(stranger.id, text)).length, text).toBeGreaterThan(4)
    expect(await stage.say(stranger.id, '入裙')).toContain('入群')
    const [picture] = await stage.sim.sendImage(stranger.id)
    expect(picture?.text).toContain('看不懂')
  })
})
