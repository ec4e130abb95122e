import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { bindFirst, bindThrough, fillMatrix, groupNumber } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** A county with a 订阅号 in plain mode and nothing else for its owners. */
describe('a subscription account works, and says what it lacks', () => {
  let stage: Stage
  let county: SimPerson
  let wang: SimPerson
  const say = (person: SimPerson, text: string) => stage.say(person.id, text)

  beforeAll(async () => {
    stage = await openStage({ kind: 'subscription', mode: 'plain' })
    await fillMatrix(stage)
    const city = stage.sim.addPerson({ name: '高市书', openId: 'o-gao' })
    county = stage.sim.addPerson({ name: '林县书', openId: 'o-lin' })
    wang = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, city, 'qingnong', '610800')
    await bindThrough(stage, city, county)
    await bindThrough(stage, county, wang)
  })
  afterAll(() => stage.close())

  test('帮助 says it in the chat and not behind a link, to everybody', async () => {
    const stranger = stage.sim.addPerson({ name: '路人', openId: 'o-stranger' })
    for (const person of [stranger, county, wang]) {
      const help = await say(person, '帮助')
      expect(help).toContain('模板消息')
      expect(help).toContain('带参数二维码')
      expect(help).not.toContain('http')
      expect(Buffer.byteLength(help)).toBeLessThanOrEqual(2048)
    }
  })

  test('a group, a notice, a relay and a receipt, within the 48 hours', async () => {
    groupNumber(await say(wang, '建群 团青群 微信群 86人 镇川青年 入群码 拉人'))
    await say(county, '通知 政策 请报送创业贷款名单。')
    expect(await say(county, '确认')).toContain('通知 1 已发出：1 个群')
    await stage.settle()
    expect(stage.received(wang.id).join('\n')).toContain('请报送创业贷款名单。\n看过请点：')
    expect(await say(wang, '转好了！')).toContain('都办好了')
    expect(await say(county, '回执')).toContain('全部传达到位')
  })

  test('outside them no template is tried; the notice waits for the owner and is found by 任务', async () => {
    stage.clock.advance(49 * 3600_000)
    await say(county, '通知 便民 明天停电。')
    await say(county, '确认')
    const before = stage.received(wang.id).length
    await stage.settle()
    expect(stage.received(wang.id)).toHaveLength(before)
    expect(
      stage.sim.log.filter(entry => entry.kind === 'api' && String(entry.path).includes('template/send')),
    ).toEqual([])
    expect(await say(county, '回执')).toContain('已到 0/1 个群')
    expect(await say(wang, '任务')).toContain('待转发的通知：2')
    expect(await say(wang, '通知2')).toContain('明天停电。')
    expect(await say(wang, '转')).toContain('已登记：通知 2')
  })

  test('people who ask to be let in write the group’s number', async () => {
    const youth = stage.sim.addPerson({ name: '张小明', openId: 'o-youth', follows: false })
    const [welcome] = await stage.sim.follow(youth.id)
    expect(welcome?.text).toContain('入群 群号')
    expect(await say(youth, '入群 1 张小明 在乡 务农')).toContain('登记好了')
  })
})
