import { describe, expect, it } from 'vitest'
import { card, done, type Message, reasons, type Spoil, texts, withBot } from './bot-server.ts'

describe('answers that the platform would refuse', () => {
  const stream = (fields: object) => () => ({
    msgtype: 'stream',
    stream: { id: 's1', finish: true, content: 'x', ...fields },
  })
  it.each<[string, (message: Message) => object | string, Spoil, string]>([
    ['a wrong signature', () => done('x'), { signature: 'f'.repeat(40) }, 'wrong signature'],
    ['another nonce', () => done('x'), { nonce: 'other' }, 'nonce'],
    ['the timestamp as text', () => done('x'), { timestamp: '1700000000' }, 'timestamp'],
    ['another receive id', () => done('x'), { receiveId: 'ww1' }, 'receive id'],
    ['no JSON', () => 'success', {}, 'not JSON'],
    ['a text where a stream belongs', () => ({ msgtype: 'text', text: { content: 'x' } }), {}, 'no answer'],
    ['no stream id', stream({ id: '' }), {}, 'stream.id'],
    ['finish as text', stream({ finish: 'true' }), {}, 'stream.finish'],
    ['too long a content', stream({ content: '团'.repeat(6827) }), {}, '20480'],
    ['pictures before the end', stream({ finish: false, msg_item: [{}] }), {}, 'finish=true'],
    [
      'a picture with a wrong md5',
      stream({ msg_item: [{ msgtype: 'image', image: { base64: 'iVBORw0KGgo=', md5: 'x' } }] }),
      {},
      'md5',
    ],
    ['too long a feedback id', stream({ feedback: { id: 'x'.repeat(257) } }), {}, '256'],
    [
      'a card without a task',
      () => ({ msgtype: 'template_card', template_card: { ...card, task_id: undefined } }),
      {},
      'task_id',
    ],
  ])('%s', async (_what, answer, spoil, reason) => {
    const { aibot, sim, li } = await withBot(answer, {}, spoil)
    expect(await aibot.say(li.id, '帮助')).toEqual([])
    expect(reasons(sim.log)).toEqual([expect.stringContaining(reason)])
    expect(texts(aibot.chat(li.id))).toEqual(['帮助'])
  })

  it('20480 bytes are not too long', async () => {
    const { aibot, li } = await withBot(() => done('a'.repeat(20_480)))
    expect((await aibot.say(li.id, '帮助'))[0]?.text).toHaveLength(20_480)
  })

  it('another stream than the one asked for', async () => {
    let asked = 0
    const { aibot, sim, li } = await withBot(message => {
      if (message.msgtype === 'stream') asked += 1
      const id = message.msgtype === 'stream' && asked === 1 ? 's2' : 's1'
      return { msgtype: 'stream', stream: { id, finish: asked > 0, content: id } }
    })
    expect(texts(await aibot.say(li.id, '帮助'))).toEqual(['s1'])
    expect(reasons(sim.log)).toEqual([expect.stringContaining('asked for was "s1"')])
  })
})
