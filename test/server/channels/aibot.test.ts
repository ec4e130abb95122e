import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage, signatureOf } from '../../../scripts/simulator/crypto.ts'
import type { Answer, CallbackRequest, Update } from '../../../server/channels/channel.ts'
import { received, robotDoor, robotSeal, updateOf } from './doors.ts'
import { encryptFor, envelope, NOW, SECONDS, verdict, wecomSeal } from './envelopes.ts'

const nonce = '1372623149'
const door = robotDoor()
const key = callbackKey(robotSeal.token, robotSeal.aesKey, '')

function sealed(body: string, ciphertext = encryptFor(robotSeal, body)): CallbackRequest {
  const { query } = envelope(robotSeal, ciphertext, { nonce })
  return { query, body: JSON.stringify({ encrypt: ciphertext }) }
}
const request = (fields: object) => sealed(JSON.stringify(fields))
const receive = (fields: object): Update => received(door, request(fields))

const responseUrl = 'https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=rc'
const MESSAGE_ID = 'CAIQz7/MjQYY/NGagIOAgAMgl8jK/gI='
const head = {
  msgid: MESSAGE_ID,
  aibotid: 'aib-1',
  chattype: 'single',
  from: { userid: 'zhangsan' },
  response_url: responseUrl,
}
const inGroup = { ...head, chattype: 'group', chatid: 'wrk1' }
const text = (content: string, extra: object = {}) => ({ msgtype: 'text', text: { content }, ...extra })
const media = { kind: 'media', mediaId: null, url: null, text: '' }
const mixed = (...contents: object[]) => ({ msgtype: 'mixed', mixed: { msg_item: contents } })
const image = (url: string) => ({ msgtype: 'image', image: { url } })

describe('a message to one', () => {
  test.each<[string, object, object]>([
    ['text', text('我的群'), { kind: 'text', text: '我的群' }],
    ['text that begins like a mention', text('@张三 好'), { kind: 'text', text: '@张三 好' }],
    ['a picture', image('https://a/1'), { ...media, mediaType: 'image', url: 'https://a/1' }],
    [
      'a voice, as it was recognised',
      { msgtype: 'voice', voice: { content: '我的群' } },
      { ...media, mediaType: 'voice', text: '我的群' },
    ],
    [
      'a file',
      { msgtype: 'file', file: { url: 'https://a/2' } },
      { ...media, mediaType: 'file', url: 'https://a/2' },
    ],
    [
      'a video',
      { msgtype: 'video', video: { url: 'https://a/3' } },
      { ...media, mediaType: 'video', url: 'https://a/3' },
    ],
    [
      'text and pictures',
      mixed(text('登记 12'), image('https://a/1'), text('致富 3条'), image('https://a/2')),
      { ...media, mediaType: 'mixed', text: '登记 12\n致富 3条', url: 'https://a/1' },
    ],
    ['pictures only', mixed(image('https://a/1')), { ...media, mediaType: 'mixed', url: 'https://a/1' }],
    ['text with a quote', text('收到', { quote: text('通知') }), { kind: 'text', text: '收到' }],
    ['a quote only', text('', { quote: text('通知') }), { kind: 'text', text: '通知' }],
    [
      'a quote of text and pictures',
      text(' ', { quote: mixed(text('一'), image('https://a/1')) }),
      { kind: 'text', text: '一' },
    ],
    [
      'a quote of a voice',
      text('', { quote: { msgtype: 'voice', voice: { content: '好' } } }),
      { kind: 'text', text: '好' },
    ],
    ['a quote of a picture', text('', { quote: image('https://a/1') }), { kind: 'text', text: '' }],
  ])('%s', (_name, fields, expected) => {
    expect(receive({ ...head, ...fields })).toEqual({
      channel: 'aibot',
      addressSpace: 'wecom',
      dedupeKey:
        'msgtype' in fields && fields.msgtype === 'text'
          ? `id:${MESSAGE_ID}`
          : expect.stringMatching(/^hash:[\w-]{43}$/),
      address: 'zhangsan',
      recipient: 'aib-1',
      at: NOW,
      responseUrl,
      ...expected,
    })
  })
})

describe('a message in a group', () => {
  test.each<[string, object, object]>([
    ['a mention', text('@群阵 我的群'), { kind: 'text', text: '我的群' }],
    ['a mention with a narrow space', text('@群阵\u2005我的群'), { kind: 'text', text: '我的群' }],
    ['a mention and lines', text('@群阵 登记 12\n3条'), { kind: 'text', text: '登记 12\n3条' }],
    ['two mentions: one is ours', text('@群阵 @张三 好'), { kind: 'text', text: '@张三 好' }],
    ['a mention behind', text('我的群 @群阵'), { kind: 'text', text: '我的群 @群阵' }],
    ['nothing but a mention', text('@群阵'), { kind: 'text', text: '' }],
    ['a mention and a quote', text('@群阵 ', { quote: text('通知') }), { kind: 'text', text: '通知' }],
    ['an address, which is no mention', text('a@b.cn 好'), { kind: 'text', text: 'a@b.cn 好' }],
    [
      'text and a picture',
      mixed(text('@群阵 登记'), image('https://a/1')),
      { ...media, mediaType: 'mixed', text: '登记', url: 'https://a/1' },
    ],
  ])('%s', (_name, fields, expected) => {
    expect(receive({ ...inGroup, ...fields })).toMatchObject({
      isPublic: true,
      chatId: 'wrk1',
      address: 'zhangsan',
      ...expected,
    })
  })

  test('without a group’s id is public all the same', () => {
    const update = receive({ ...inGroup, chatid: undefined, ...text('@群阵 好') })
    expect(update).toMatchObject({ isPublic: true, text: '好' })
    expect(update).not.toHaveProperty('chatId')
  })
})

test('a chat’s id makes a group of a message that does not say where it was said', () => {
  expect(receive({ ...inGroup, chattype: undefined, ...text('@群阵 好') })).toMatchObject({
    isPublic: true,
    chatId: 'wrk1',
    text: '好',
  })
  // a chat with one person may have an id, too
  const single = receive({ ...inGroup, chattype: 'single', ...text('好') })
  expect(single).not.toHaveProperty('isPublic')
  expect(single).not.toHaveProperty('chatId')
})

describe('an event', () => {
  const event = (type: string, own: object = {}) => ({
    ...inGroup,
    msgtype: 'event',
    create_time: 1_700_000_000,
    event: { eventtype: type, [type]: own },
  })
  const card = { card_type: 'vote_interaction', event_key: '收 12', task_id: 't1' }
  const tapped = {
    kind: 'tapped',
    key: '收 12',
    responseCode: null,
    taskId: 't1',
    cardType: 'vote_interaction',
    selected: [],
    isPublic: true,
    chatId: 'wrk1',
  }
  test.each<[string, object, object]>([
    ['enter_chat', {}, { kind: 'entered' }],
    ['template_card_event', card, tapped],
    [
      'template_card_event',
      {
        ...card,
        selected_items: {
          selected_item: [
            { question_key: 'q1', option_ids: { option_id: ['a', 'b'] } },
            { question_key: 'q2', option_ids: { option_id: 'c' } },
          ],
        },
      },
      {
        ...tapped,
        selected: [
          { question: 'q1', options: ['a', 'b'] },
          { question: 'q2', options: ['c'] },
        ],
      },
    ],
    [
      'template_card_event',
      { ...card, selected_items: { selected_item: { question_key: 'q1' } } },
      { ...tapped, selected: [{ question: 'q1', options: [] }] },
    ],
    [
      'feedback_event',
      { id: 'f1', type: 2, content: '不对', inaccurate_reason_list: [2, 4] },
      { kind: 'feedback', feedbackId: 'f1', rating: '2', reasons: ['2', '4'], text: '不对' },
    ],
    [
      'feedback_event',
      { id: 'f1', type: 1 },
      { kind: 'feedback', feedbackId: 'f1', rating: '1', reasons: [], text: '' },
    ],
    ['something_new', { a: 1 }, { kind: 'unknown', name: 'event:something_new' }],
  ])('%s', (name, own, expected) => {
    expect(receive(event(name, own))).toMatchObject({
      channel: 'aibot',
      address: 'zhangsan',
      dedupeKey: expect.stringMatching(/^hash:[\w-]{43}$/),
      at: new Date(1_700_000_000_000),
      ...expected,
    })
  })
})

test('a tap is read without a branch of its own, too', () => {
  const event = { eventtype: 'template_card_event', event_key: '收 12', task_id: 't1' }
  expect(receive({ ...head, msgtype: 'event', event })).toMatchObject({
    kind: 'tapped',
    key: '收 12',
    taskId: 't1',
  })
})

describe('what is not known is kept', () => {
  test.each<[string, string, object]>([
    ['a type', JSON.stringify({ ...head, msgtype: 'sticker' }), { name: 'sticker', address: 'zhangsan' }],
    ['no type', JSON.stringify(head), { name: 'unreadable', address: 'zhangsan' }],
    ['an event without a name', JSON.stringify({ ...head, msgtype: 'event' }), { name: 'unreadable' }],
    [
      'a question about a stream without its id',
      JSON.stringify({ ...head, msgtype: 'stream', stream: {} }),
      { name: 'stream' },
    ],
    ['XML', '<xml><MsgType>text</MsgType></xml>', { name: 'unreadable', address: 'sys' }],
    ['half of JSON', '{"msgtype":', { name: 'unreadable' }],
    ['a list', '[1]', { name: 'unreadable' }],
    ['nothing', '', { name: 'unreadable' }],
    [
      'a sender that no index could hold',
      JSON.stringify({ ...head, ...text('a'), from: { userid: 'z'.repeat(200) } }),
      { name: 'unreadable' },
    ],
  ])('%s', (_name, body, expected) => {
    expect(received(door, sealed(body))).toMatchObject({
      kind: 'unknown',
      channel: 'aibot',
      addressSpace: 'wecom',
      body,
      ...expected,
    })
  })

  test.each([
    ['no id', undefined],
    ['an id that no index could hold', 'x'.repeat(3000)],
    ['an odd id', 'a b'],
  ])('%s: the key is a hash', (_name, msgid) => {
    expect(receive({ ...head, msgid, ...text('a') })).toMatchObject({
      kind: 'text',
      dedupeKey: expect.stringMatching(/^hash:[\w-]{43}$/),
    })
  })

  test('nobody wrote: it came from the platform', () => {
    expect(receive({ msgtype: 'text', text: { content: 'a' } })).toMatchObject({
      kind: 'text',
      address: 'sys',
      recipient: '',
      at: NOW,
    })
  })
})

test('hidden userids are the robot’s own', () => {
  expect(received(robotDoor('encrypted'), request({ ...head, ...text('a') }))).toMatchObject({
    channel: 'aibot',
    addressSpace: 'aibot',
  })
})

describe('a callback is refused', () => {
  const ciphertext = encryptFor(robotSeal, JSON.stringify({ ...head, ...text('好') }))
  const good = sealed('', ciphertext)
  const forWecom = encryptFor(wecomSeal, JSON.stringify({ ...head, ...text('好') }))
  const flipped = Buffer.from(ciphertext, 'base64')
  flipped[flipped.length - 1] = (flipped.at(-1) as number) ^ 1
  const echo = (plain: string): CallbackRequest => {
    const echostr = encryptFor(robotSeal, plain)
    return { query: { ...envelope(robotSeal, echostr).query, echostr }, body: '' }
  }

  test('never when it is right', () => {
    expect(updateOf(door.receive(good, NOW))).toMatchObject({ text: '好' })
    expect(updateOf(door.receive({ ...good, body: `\uFEFF${good.body}\n` }, NOW))).toMatchObject({
      text: '好',
    })
    expect(door.receive(echo('1616140317555161061'), NOW)).toEqual({
      kind: 'verification',
      answer: '1616140317555161061',
    })
  })

  test.each<[string, CallbackRequest, string]>([
    ['without any query', { ...good, query: {} }, 'malformed'],
    ['with another nonce', { ...good, query: { ...good.query, nonce: '1' } }, 'signature'],
    ['with another ciphertext', { ...good, body: JSON.stringify({ encrypt: forWecom }) }, 'signature'],
    ['meant for a company', sealed('', forWecom), 'signature'],
    ['with a flipped last byte', sealed('', flipped.toString('base64')), 'signature'],
    [
      'that is stale',
      {
        ...good,
        query: envelope(robotSeal, ciphertext, { timestamp: String(Number(SECONDS) - 601) }).query,
      },
      'signature',
    ],
    ['in XML', envelope(robotSeal, ciphertext), 'malformed'],
    ['without a ciphertext', { ...good, body: '{}' }, 'malformed'],
    ['with a list of ciphertexts', { ...good, body: JSON.stringify({ encrypt: [ciphertext] }) }, 'malformed'],
    ['without a body', { ...good, body: '' }, 'malformed'],
    ["as an echo that is somebody's message", echo('{"msgtype":"text"}'), 'malformed'],
  ])('%s', (_name, request, expected) => {
    expect(verdict(() => door.receive(request, NOW))).toBe(expected)
  })
})

describe('the answer', () => {
  const answered = (fields: object, answer: Partial<Answer>) => {
    const asked = request(fields)
    const reception = door.receive(asked, NOW)
    if (reception.kind === 'verification') throw new Error('not a message')
    const about = reception.kind === 'poll' ? reception.about : reception.update
    return door.acknowledge(asked, about, { reply: null, isPending: false, ...answer }, NOW)
  }
  const opened = (body: string) => JSON.parse(decryptMessage(key, JSON.parse(body).encrypt))

  const message = { ...head, ...text('我的群') }
  const id = `id:${MESSAGE_ID}`
  const poll = { ...head, msgid: 'another', msgtype: 'stream', stream: { id } }
  const event = (eventtype: string) => ({ ...head, msgtype: 'event', event: { eventtype, [eventtype]: {} } })
  const stream = (finish: boolean, content: string) => ({
    msgtype: 'stream',
    stream: { id, finish, content },
  })

  /** A picture's key is a hash. */
  const ofAnyKey = (answer: ReturnType<typeof stream>) => ({
    ...answer,
    stream: { ...answer.stream, id: expect.stringMatching(/^hash:/) },
  })

  test('a question for the rest names the message that it is about', () => {
    expect(door.receive(request(poll), NOW)).toEqual({
      kind: 'poll',
      about: {
        channel: 'aibot',
        addressSpace: 'wecom',
        dedupeKey: id,
        address: 'zhangsan',
        recipient: 'aib-1',
        at: NOW,
        responseUrl,
      },
    })
  })

  test.each<[string, object, Partial<Answer>, object]>([
    ['a message, ready', message, { reply: '您有 3 个群' }, stream(true, '您有 3 个群')],
    ['a message, not ready', message, { isPending: true }, stream(false, '正在办理……')],
    ['a picture, ready', { ...head, ...image('https://a/1') }, { reply: '好' }, ofAnyKey(stream(true, '好'))],
    ['a question, ready by now', poll, { reply: '您有 3 个群' }, stream(true, '您有 3 个群')],
    ['a question, still not ready', poll, { isPending: true }, stream(false, '正在办理……')],
    ['a question, with nothing to say', poll, {}, stream(true, '已收到。')],
    [
      'the opening of a chat',
      event('enter_chat'),
      { reply: '您好' },
      { msgtype: 'text', text: { content: '您好' } },
    ],
    ['control characters', message, { reply: 'a\u0000b' }, stream(true, 'ab')],
  ])('to %s', (_name, fields, answer, expected) => {
    const { contentType, body } = answered(fields, answer)
    expect(contentType).toBe('application/json')
    expect(opened(body)).toEqual(expected)
  })

  test('comes although the callback is too old by now to be opened', () => {
    const asked = request(message)
    const update = received(door, asked)
    const late = new Date(NOW.getTime() + 601_000)
    expect(verdict(() => door.receive(asked, late))).toBe('signature')
    const { body } = door.acknowledge(asked, update, { reply: '好', isPending: false }, late)
    expect(opened(body)).toEqual(stream(true, '好'))
    // one that was never received is not answered unseen
    const unseen = { ...asked, query: { ...asked.query, msg_signature: '0'.repeat(40) } }
    expect(verdict(() => door.acknowledge(unseen, update, { reply: '好', isPending: false }, NOW))).toBe(
      'signature',
    )
  })

  test('is signed, with the nonce of the question', () => {
    const outer = JSON.parse(answered(message, { reply: '好' }).body)
    expect(outer).toEqual({
      encrypt: expect.any(String),
      msgsignature: signatureOf(robotSeal.token, SECONDS, nonce, outer.encrypt),
      timestamp: Number(SECONDS),
      nonce,
    })
  })

  test.each<[string, object, Partial<Answer>]>([
    ['a message with nothing to say', message, {}],
    ['the opening of a chat with nothing to say', event('enter_chat'), {}],
    ['the opening of a chat, not ready', event('enter_chat'), { isPending: true }],
    ['feedback, which takes no words', event('feedback_event'), { reply: '谢谢' }],
    ['a card, which takes no words', event('template_card_event'), { reply: '好' }],
    ['what is not known', { ...head, msgtype: 'sticker' }, { reply: '好', isPending: true }],
  ])('is empty to %s', (_name, fields, answer) => {
    expect(answered(fields, answer)).toEqual({ contentType: 'text/plain', body: '' })
  })
})
