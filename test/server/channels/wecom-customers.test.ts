import { describe, expect, onTestFinished, test } from 'vitest'
import { startReceiver } from '../../scripts/simulator/receiver.ts'
import { wecomSettings } from '../../scripts/simulator/setup.ts'
import { failureOf, openWecom, PNG, START, wordsOf } from './wecom-stage.ts'

async function withCustomer() {
  const all = await openWecom()
  const [staff, other] = [all.member('LiMing', '李明'), all.member('ZhaoQiang', '赵强')]
  const person = all.customer('A')
  await all.sim.befriend(staff.id, person.id, { state: 'poster', addWay: 1 })
  return { ...all, staff, other, person }
}

describe('a customer', () => {
  test('is listed and read with all who know them', async () => {
    const { sim, wecom, other, person } = await withCustomer()
    await sim.befriend(other.id, person.id)
    expect(await wecom.customers.list('LiMing')).toEqual(['wmA'])
    expect(await wecom.customers.read('wmA')).toEqual({
      customer: { customerId: 'wmA', name: 'A', isWechat: true, unionId: 'uA' },
      followings: [
        {
          userId: 'LiMing',
          remark: 'A',
          description: '',
          since: START,
          state: 'poster',
          tagIds: [],
          addWay: 1,
        },
        expect.objectContaining({ userId: 'ZhaoQiang', state: null }),
      ],
    })
  })

  test('is read to the last of more than five hundred followers', async () => {
    const { sim, wecom, member, person, countOf } = await withCustomer()
    for (let index = 0; index < 600; index += 1) await sim.befriend(member(`Staff${index}`).id, person.id)
    expect((await wecom.customers.read('wmA')).followings).toHaveLength(601)
    expect(countOf('externalcontact/get')).toBe(2)
  })

  test('is read with many others at once', async () => {
    const { sim, wecom, member, customer, countOf } = await openWecom()
    const userIds = []
    for (let index = 0; index < 120; index += 1) {
      const staff = member(`Staff${index}`)
      await sim.befriend(staff.id, customer(`C${index}`).id)
      userIds.push(`Staff${index}`)
    }
    sim.admin.setLicensed(sim.persons()[0]?.id ?? '', false)
    const { rows, failed } = await wecom.customers.readByUsers(userIds)
    expect(rows).toHaveLength(119)
    expect(rows[0]).toMatchObject({ customer: { customerId: 'wmC1' }, following: { userId: 'Staff1' } })
    expect(failed).toEqual(['Staff0'])
    expect(countOf('get_by_user')).toBe(2)
  })

  test.each([
    ['of a member who has none', 'list', 'ZhaoQiang', []],
    ['of a stranger', 'list', 'Nobody', 'recipient:40003'],
    ['that is unknown', 'read', 'wmNone', 'recipient:40096'],
    ['that nobody knows', 'read', 'wmB', 'recipient:84061'],
  ] as const)('%s', async (_name, how, id, expected) => {
    const { wecom, customer } = await withCustomer()
    customer('B')
    const work: Promise<unknown> = wecom.customers[how](id)
    if (typeof expected === 'string') expect(await failureOf(work)).toBe(expected)
    else expect(await work).toEqual(expected)
  })

  test('is noted and tagged, for this pair only', async () => {
    const { wecom } = await withCustomer()
    await wecom.customers.note('LiMing', 'wmA', { remark: '镇川张三', mobiles: ['13800000000'] })
    const group = await wecom.tags.add({ name: '身份' }, ['团员', '团干'])
    const [member, cadre] = group.tags.map(tag => tag.tagId)
    await wecom.customers.tag('LiMing', 'wmA', { add: [member ?? '', cadre ?? ''] })
    await wecom.customers.tag('LiMing', 'wmA', { remove: [cadre ?? ''] })
    expect((await wecom.customers.read('wmA')).followings).toMatchObject([
      { remark: '镇川张三', tagIds: [member] },
    ])
    const { rows } = await wecom.customers.readByUsers(['LiMing'])
    expect(rows[0]?.following.tagIds).toEqual([member])
    expect(await failureOf(wecom.customers.note('ZhaoQiang', 'wmA', { remark: 'x' }))).toBe('recipient:84061')
    expect(await failureOf(wecom.customers.tag('LiMing', 'wmA', { add: ['none'] }))).toBe('rejected:40068')
    expect(await wordsOf(wecom.customers.note('LiMing', 'wmA', { remark: 'x'.repeat(21) }))).toContain(
      '21 个字',
    )
  })

  test('is found by unionid, or gets a provisional id', async () => {
    const { wecom, customer } = await withCustomer()
    customer('B')
    expect(await wecom.customers.customerOf('uA', 'oA')).toEqual({ customerId: 'wmA', pendingId: null })
    const { customerId, pendingId } = await wecom.customers.customerOf('uB', 'oB')
    expect([customerId, typeof pendingId]).toEqual([null, 'string'])
    expect(await failureOf(wecom.customers.customerOf('uA', 'oB'))).toBe('rejected:846000')
  })
})

describe('the corp’s tags', () => {
  test('are made, renamed and removed', async () => {
    const { wecom } = await openWecom()
    const made = await wecom.tags.add({ name: '身份' }, ['团员'])
    await wecom.tags.add({ groupId: made.groupId }, ['团干'])
    const [first, second] = (await wecom.tags.list())[0]?.tags ?? []
    await wecom.tags.rename(first?.tagId ?? '', '共青团员')
    await wecom.tags.rename(made.groupId, '政治面貌')
    expect(await wecom.tags.list()).toMatchObject([
      { name: '政治面貌', tags: [{ name: '共青团员' }, { name: '团干' }] },
    ])
    expect(await failureOf(wecom.tags.add({ groupId: made.groupId }, ['团干']))).toBe('rejected:40071')
    await wecom.tags.remove({ tagIds: [first?.tagId ?? '', second?.tagId ?? ''] })
    expect(await wecom.tags.list()).toEqual([])
  })
})

describe('a contact way', () => {
  test('is made, read and removed', async () => {
    const { wecom } = await withCustomer()
    const made = await wecom.contactWays.add({
      userIds: ['LiMing', 'ZhaoQiang'],
      state: 'poster',
      remark: '海报',
    })
    expect((await fetch(made.qrCode)).status).toBe(200)
    expect(await wecom.contactWays.read(made.configId)).toEqual({
      ...made,
      userIds: ['LiMing', 'ZhaoQiang'],
      state: 'poster',
      remark: '海报',
      needsConsent: false,
    })
    await wecom.contactWays.remove(made.configId)
    expect(await failureOf(wecom.contactWays.read(made.configId))).toBe('rejected:41044')
    expect(await failureOf(wecom.contactWays.add({ userIds: ['Nobody'], state: '' }))).toBe('recipient:40003')
    expect(await wordsOf(wecom.contactWays.add({ userIds: [], state: '' }))).toContain('成员要有 1 至 100 个')
  })
})

describe('a welcome', () => {
  /** A customer has just been won; the code is in the event that the server got. */
  async function withCode() {
    const all = await openWecom()
    const server = await startReceiver(wecomSettings)
    onTestFinished(() => server.stop())
    all.sim.setCallbackUrl('wecom', server.url)
    const [staff, newcomer] = [all.member('LiMing'), all.customer('A')]
    await all.sim.befriend(staff.id, newcomer.id)
    const code = server.received[0]?.message.WelcomeCode ?? ''
    const other = all.openOther({ agentId: 1000003, secret: 'other-secret' })
    return {
      ...all,
      newcomer,
      greet: () => all.wecom.welcomes.greet(code, { text: '欢迎' }),
      greetAsOther: () => other.welcomes.greet(code, { text: '抢先' }),
    }
  }

  test('greets a customer once', async () => {
    const { sim, newcomer, greet } = await withCode()
    await greet()
    expect(await failureOf(greet())).toBe('rejected:41051')
    expect(sim.inbox(newcomer.id).map(message => message.text)).toEqual(['欢迎'])
  })

  test('is lost when another app was first', async () => {
    const { greet, greetAsOther } = await withCode()
    await greetAsOther()
    expect(await failureOf(greet())).toBe('rejected:41096')
  })

  test('comes too late after twenty seconds', async () => {
    const { clock, greet } = await withCode()
    clock.advance(20_001)
    expect(await failureOf(greet())).toBe('rejected:41050')
  })

  test('must say something', async () => {
    const { wecom } = await openWecom()
    expect(await wordsOf(wecom.welcomes.greet('code', {}))).toContain('消息是空的')
  })

  test('of groups is kept as a template', async () => {
    const { wecom } = await openWecom()
    const image = await wecom.media.upload('image', 'a.png', PNG)
    const id = await wecom.welcomes.addGroupWelcome({ text: '欢迎 %NICKNAME%' }, true)
    expect(await wecom.welcomes.readGroupWelcome(id)).toEqual({
      text: '欢迎 %NICKNAME%',
      attachmentKind: null,
    })
    await wecom.welcomes.changeGroupWelcome(id, {
      text: '欢迎入群',
      attachment: { kind: 'image', mediaId: image },
    })
    expect(await wecom.welcomes.readGroupWelcome(id)).toEqual({ text: '欢迎入群', attachmentKind: 'image' })
    await wecom.welcomes.removeGroupWelcome(id)
    expect(await failureOf(wecom.welcomes.readGroupWelcome(id))).toBe('rejected:40058')
    const long = { text: '团'.repeat(1001) }
    expect(await wordsOf(wecom.welcomes.addGroupWelcome(long, false))).toContain('最多 3000 字节')
  })
})
