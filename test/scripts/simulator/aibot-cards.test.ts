import { describe, expect, it } from 'vitest'
import { card, done, type Message, reasons, withBot } from './bot-server.ts'

const MINUTE = 60_000

describe('cards', () => {
  const vote = {
    card_type: 'vote_interaction',
    task_id: 'vote-1',
    main_title: { title: '哪天开会' },
    checkbox: {
      question_key: 'day',
      mode: 0,
      option_list: [
        { id: 'd1', text: '周一' },
        { id: 'd2', text: '周二' },
      ],
    },
    submit_button: { text: '提交', key: 'submit' },
  }

  it('tell what was chosen and are changed by the answer', async () => {
    const { aibot, li, server } = await withBot(message => {
      if (message.msgtype !== 'event') return { msgtype: 'template_card', template_card: vote }
      const template_card = { ...vote, main_title: { title: '已选' }, replace_text: '已提交' }
      return { response_type: 'update_template_card', template_card }
    })
    const [shown] = await aibot.say(li.id, '投票')
    const id = shown?.id ?? ''
    await expect(aibot.tapCard(li.id, id, 'submit', { day: ['d9'] })).rejects.toThrow('wrong choice')
    expect(await aibot.tapCard(li.id, id, 'submit', { day: ['d2'] })).toMatchObject({
      title: '已选',
      replacedText: '已提交',
    })
    expect(server.received.at(-1).event).toEqual({
      eventtype: 'template_card_event',
      template_card_event: {
        card_type: 'vote_interaction',
        event_key: 'submit',
        task_id: 'vote-1',
        selected_items: { selected_item: [{ question_key: 'day', option_ids: { option_id: ['d2'] } }] },
      },
    })
    await expect(aibot.tapCard(li.id, id, 'submit')).rejects.toThrow('answered before')
  })

  it('can change for some people only', async () => {
    const { aibot, li, wang, group } = await withBot(message => {
      if (message.msgtype !== 'event') return { msgtype: 'template_card', template_card: card }
      const template_card = { ...card, main_title: { title: '已办' }, replace_text: '已同意' }
      return { response_type: 'update_template_card', userids: ['LiMing'], template_card }
    })
    const [shown] = await aibot.mention(group.id, li.id, '待审')
    const id = shown?.id ?? ''
    expect((await aibot.tapCard(li.id, id, 'yes')).title).toBe('已办')
    expect(group.posts.at(-1)?.card?.title).toBe('入群申请')
    await expect(aibot.tapCard(li.id, id, 'yes')).rejects.toThrow('answered before')
    await aibot.tapCard(wang.id, id, 'yes')
  })

  it('keep their task, and a task is used once', async () => {
    const { aibot, sim, li } = await withBot(message =>
      message.msgtype === 'event'
        ? { response_type: 'update_template_card', template_card: { ...card, task_id: 'task-2' } }
        : { msgtype: 'template_card', template_card: card },
    )
    const [shown] = await aibot.say(li.id, '待审')
    expect((await aibot.tapCard(li.id, shown?.id ?? '', 'yes')).title).toBe('入群申请')
    expect(await aibot.say(li.id, '待审')).toEqual([])
    expect(reasons(sim.log)).toEqual([
      expect.stringContaining('must stay "task-1"'),
      expect.stringContaining('used before'),
    ])
  })
})

describe('feedback', () => {
  it('names the answer and takes no reply', async () => {
    let reply: object | null = null
    const { aibot, sim, li, server } = await withBot(message =>
      message.msgtype === 'event'
        ? reply
        : { msgtype: 'stream', stream: { id: 's1', finish: true, content: '好', feedback: { id: 'f-1' } } },
    )
    const [shown] = await aibot.say(li.id, '帮助')
    await aibot.feedback(li.id, shown?.id ?? '', { type: 2, content: '不对', reasons: [1, 4] })
    expect(server.received.at(-1).event.feedback_event).toEqual({
      id: 'f-1',
      type: 2,
      content: '不对',
      inaccurate_reason_list: [1, 4],
    })
    expect(reasons(sim.log)).toEqual([])
    reply = done('谢谢')
    await aibot.feedback(li.id, shown?.id ?? '', { type: 1 })
    expect(reasons(sim.log)).toEqual([expect.stringContaining('nothing')])
  })
})

describe('response_url', () => {
  const markdown = (content: string) => ({ msgtype: 'markdown', markdown: { content } })
  async function withUrl() {
    const all = await withBot(() => null)
    await all.aibot.mention(all.group.id, all.li.id, '月报')
    const url = all.server.received[0].response_url as string
    const post = async (body: unknown, to = url) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      const answer = (await (await fetch(to, { method: 'POST', body: text })).json()) as Message
      return answer.errcode as number
    }
    return { ...all, url, post }
  }

  it('answers once within the hour, in a group with the question', async () => {
    const { post, group, clock, aibot, li, server } = await withUrl()
    expect(await post(markdown('**好了**'))).toBe(0)
    expect(group.posts.at(-1)).toMatchObject({ via: 'aibot', text: '**好了**', quote: '@群阵助手 月报' })
    expect(await post(markdown('再来'))).toBe(60140)
    await aibot.say(li.id, '月报')
    const late = server.received.at(-1).response_url
    clock.advance(60 * MINUTE)
    expect(await post(markdown('晚了'), late)).toBe(60140)
  })

  it('takes what it takes, and a refused answer does not use it up', async () => {
    const { post, group, url } = await withUrl()
    expect(await post('{')).toBe(47001)
    expect(await post({ msgtype: 'text', text: { content: 'x' } })).toBe(40008)
    expect(await post(markdown('团'.repeat(6827)))).toBe(45002)
    expect(await post({ msgtype: 'template_card', template_card: { card_type: 'nonsense' } })).toBe(42015)
    expect(await post(markdown('x'), `${url}x`)).toBe(60140)
    expect(await post({ msgtype: 'template_card', template_card: card })).toBe(0)
    expect(group.posts.at(-1)?.card?.title).toBe('入群申请')
  })

  it('can be carried out without an answer, fail or be slow', async () => {
    const { sim, post, group } = await withUrl()
    sim.faults.on('http-500', { path: 'aibot/response', times: 1 })
    await expect(post(markdown('一'))).rejects.toThrow()
    sim.faults.on('answers-lost', { path: 'aibot/response', times: 1 })
    await expect(post(markdown('二'))).rejects.toThrow()
    expect(group.posts.at(-1)?.text).toBe('二')
    expect(await post(markdown('三'))).toBe(60140)
  })
})
