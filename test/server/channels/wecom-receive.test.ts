import { describe, expect, test } from 'vitest'
import { callbackKey, decryptMessage } from '../../../scripts/simulator/crypto.ts'
import { parseXml, textOf } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest } from '../../../server/channels/channel.ts'
import { createWecomChannel } from '../../../server/channels/wecom/index.ts'
import vectors from '../../fixtures/crypto-vectors.json' with { type: 'json' }
import { encryptFor, envelope, NOW, SECONDS, type Seal, textXml, verdict, wecomSeal } from './envelopes.ts'

/** A channel that only receives: it calls no platform. */
function channelOf(seal: Seal) {
  return createWecomChannel(
    { baseUrl: '', corpId: seal.receiveId, agentId: 1, secret: 's', token: seal.token, aesKey: seal.aesKey },
    {
      now: () => NOW,
      tokens: { tokenFor: () => Promise.reject(new Error('no calls here')) },
      trace: () => {},
      freshnessSeconds: 600,
    },
  )
}

const channel = channelOf(wecomSeal)
const receive = (request: CallbackRequest, now = NOW) => channel.receive(request, now)

function received(xml: string) {
  const reception = receive(envelope(wecomSeal, encryptFor(wecomSeal, xml)))
  if (reception.kind !== 'update') throw new Error('no update')
  return reception.update
}

/** A message or an event as WeCom writes it, with these fields of its own. */
function xmlOf(own: string, from = 'zhangsan'): string {
  return (
    `<xml><ToUserName><![CDATA[${wecomSeal.receiveId}]]></ToUserName><FromUserName><![CDATA[${from}]]></FromUserName>` +
    `<CreateTime>${SECONDS}</CreateTime>${own}<AgentID>1000002</AgentID></xml>`
  )
}
const message = (type: string, own: string) =>
  xmlOf(`<MsgType><![CDATA[${type}]]></MsgType>${own}<MsgId>4561255354251345929</MsgId>`)
const event = (name: string, own = '', from = 'zhangsan') =>
  xmlOf(`<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[${name}]]></Event>${own}`, from)
const groupEvent = (own: string) =>
  event('change_external_chat', `<ChatId><![CDATA[wr1]]></ChatId>${own}`, 'sys')

describe('the published callbacks go all the way', () => {
  test.each(vectors.filter(({ id }) => ['wecom-post-official', 'wecom-post-goworkwx'].includes(id)))(
    '$id',
    vector => {
      const {
        token = '',
        key = '',
        receiveid = '',
        timestamp = '',
        nonce = '',
        signature = '',
        body = '',
      } = vector
      const reception = channelOf({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce }, body },
        new Date(Number(timestamp) * 1000),
      )
      expect(reception).toMatchObject({ kind: 'update', update: { kind: 'text', recipient: receiveid } })
    },
  )

  test('the official hello, to the last digit of its id', () => {
    const vector = vectors.find(({ id }) => id === 'wecom-post-official')
    const {
      token = '',
      key = '',
      receiveid = '',
      timestamp = '',
      nonce = '',
      signature = '',
      body = '',
    } = vector ?? {}
    expect(
      channelOf({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce }, body },
        new Date('2014-09-02T12:10:13Z'),
      ),
    ).toMatchObject({
      update: {
        channel: 'wecom',
        kind: 'text',
        text: 'hello',
        address: 'mycreate',
        dedupeKey: 'id:4561255354251345929',
        at: new Date('2014-09-02T12:10:13Z'),
      },
    })
  })

  test.each(vectors.filter(({ id, kind }) => kind === 'get' && id.startsWith('wecom')))('$id', vector => {
    const {
      token = '',
      key = '',
      receiveid = '',
      timestamp = '',
      nonce = '',
      signature = '',
      encrypt = '',
    } = vector
    expect(
      channelOf({ token, aesKey: key, receiveId: receiveid }).receive(
        { query: { msg_signature: signature, timestamp, nonce, echostr: encrypt }, body: '' },
        new Date(Number(timestamp) * 1000),
      ),
    ).toEqual({ kind: 'verification', answer: vector.message })
  })
})

describe('a message', () => {
  test.each([
    ['text', '<Content><![CDATA[你好]]></Content>', { kind: 'text', text: '你好' }],
    ['text', '<Content>\n <![CDATA[ 入群 12 ]]>\n</Content>', { kind: 'text', text: '入群 12' }],
    ['text', '', { kind: 'text', text: '' }],
    [
      'image',
      '<PicUrl>u</PicUrl><MediaId>m1</MediaId>',
      { kind: 'media', mediaType: 'image', mediaId: 'm1', text: '' },
    ],
    [
      'voice',
      '<MediaId>m2</MediaId><Format>amr</Format>',
      { kind: 'media', mediaType: 'voice', mediaId: 'm2', text: '' },
    ],
    ['video', '<MediaId>m3</MediaId>', { kind: 'media', mediaType: 'video', mediaId: 'm3', text: '' }],
    ['image', '', { kind: 'media', mediaType: 'image', mediaId: null, text: '' }],
    [
      'link',
      '<Title>标题</Title><Description>说明</Description><Url>u</Url>',
      { kind: 'media', mediaType: 'link', mediaId: null, text: '标题\n说明' },
    ],
    ['link', '<Title>标题</Title>', { kind: 'media', mediaType: 'link', mediaId: null, text: '标题' }],
    [
      'location',
      '<Location_X>38.2</Location_X><Location_Y>109.7</Location_Y><Scale>15</Scale><Label>榆阳区</Label>',
      { kind: 'media', mediaType: 'location', mediaId: null, text: '榆阳区' },
    ],
    ['file', '<MediaId>m4</MediaId>', { kind: 'unknown', name: 'file' }],
  ])('of type %s', (type, own, expected) => {
    expect(received(message(type, own))).toEqual({
      channel: 'wecom',
      dedupeKey: 'id:4561255354251345929',
      address: 'zhangsan',
      recipient: wecomSeal.receiveId,
      at: NOW,
      ...expected,
    })
  })
})

describe('an event', () => {
  test.each([
    ['subscribe', '', { kind: 'followed', scene: null }],
    ['unsubscribe', '', { kind: 'unfollowed' }],
    ['click', '<EventKey><![CDATA[帮助]]></EventKey>', { kind: 'tapped', key: '帮助', responseCode: null }],
    [
      'template_card_event',
      '<EventKey>已转 3</EventKey><TaskId>t</TaskId><ResponseCode>rc</ResponseCode>',
      { kind: 'tapped', key: '已转 3', responseCode: 'rc' },
    ],
    ['template_card_event', '<EventKey>k</EventKey>', { kind: 'tapped', key: 'k', responseCode: null }],
    ['enter_agent', '<EventKey></EventKey>', { kind: 'unknown', name: 'event:enter_agent' }],
    ['LOCATION', '<Latitude>38.2</Latitude>', { kind: 'unknown', name: 'event:LOCATION' }],
    ['view', '<EventKey>https://example.cn</EventKey>', { kind: 'unknown', name: 'event:view' }],
    ['close_inactive_agent', '', { kind: 'unknown', name: 'event:close_inactive_agent' }],
    [
      'change_contact',
      '<ChangeType>update_user</ChangeType>',
      { kind: 'unknown', name: 'event:change_contact' },
    ],
  ])('%s', (name, own, expected) => {
    expect(received(event(name, own))).toMatchObject({ address: 'zhangsan', at: NOW, ...expected })
  })

  test('has no id: its key is a hash of the whole, so that a burst in one second is told apart', () => {
    const keys = ['a', 'b', 'a'].map(key => received(event('click', `<EventKey>${key}</EventKey>`)).dedupeKey)
    expect(keys[0]).toMatch(/^hash:[\w-]{43}$/)
    expect(keys[1]).not.toBe(keys[0])
    expect(keys[2]).toBe(keys[0])
  })
})

describe('a change of a customer group', () => {
  const versions = '<LastMemVer>v1</LastMemVer><CurMemVer>v2</CurMemVer>'
  test.each([
    ['made', '<ChangeType>create</ChangeType>', 'created', []],
    ['dissolved', '<ChangeType>dismiss</ChangeType>', 'dismissed', []],
    [
      'joined, as items',
      '<ChangeType>update</ChangeType><UpdateDetail>add_member</UpdateDetail><MemChangeList><Item>wm1</Item><Item>wm2</Item></MemChangeList>',
      'joined',
      ['wm1', 'wm2'],
    ],
    [
      'joined, one item',
      '<ChangeType>update</ChangeType><UpdateDetail>add_member</UpdateDetail><MemChangeList><Item><![CDATA[wm1]]></Item></MemChangeList>',
      'joined',
      ['wm1'],
    ],
    [
      'left, as text with commas',
      '<ChangeType>update</ChangeType><UpdateDetail>del_member</UpdateDetail><MemChangeList>wm1, wm2,</MemChangeList>',
      'left',
      ['wm1', 'wm2'],
    ],
    [
      'another owner',
      '<ChangeType>update</ChangeType><UpdateDetail>change_owner</UpdateDetail>',
      'owner_changed',
      [],
    ],
    [
      'another name',
      '<ChangeType>update</ChangeType><UpdateDetail>change_name</UpdateDetail>',
      'renamed',
      [],
    ],
    ['a notice', '<ChangeType>update</ChangeType><UpdateDetail>change_notice</UpdateDetail>', 'other', []],
    ['no detail', '<ChangeType>update</ChangeType>', 'other', []],
    [
      "a detail named like an object's own",
      '<ChangeType>update</ChangeType><UpdateDetail>constructor</UpdateDetail>',
      'other',
      [],
    ],
    ['an empty list', '<ChangeType>update</ChangeType><MemChangeList></MemChangeList>', 'other', []],
  ])('%s', (_name, own, change, addresses) => {
    expect(received(groupEvent(own + versions))).toMatchObject({
      kind: 'group',
      address: 'sys',
      chatId: 'wr1',
      change,
      addresses,
      lastVersion: 'v1',
      version: 'v2',
    })
  })
})

describe('a callback is refused', () => {
  const xml = textXml(wecomSeal, '你好')
  const encrypted = encryptFor(wecomSeal, xml)
  const good = envelope(wecomSeal, encrypted)
  const without = (name: string): CallbackRequest => {
    const { [name]: _gone, ...query } = good.query
    return { ...good, query }
  }
  const at = (offset: number) =>
    envelope(wecomSeal, encrypted, { timestamp: String(Number(SECONDS) + offset) })
  const echo = (plain: string, extra: Record<string, string> = {}) => {
    const ciphertext = encryptFor(wecomSeal, plain)
    return { query: { ...envelope(wecomSeal, ciphertext).query, echostr: ciphertext, ...extra }, body: '' }
  }
  const inner = (plain: string) => envelope(wecomSeal, encryptFor(wecomSeal, plain))

  test('never when it is right', () => {
    expect(verdict(() => receive(good))).toBe('taken')
    expect(verdict(() => receive(echo('1616140317555161061')))).toBe('taken')
    expect(verdict(() => receive(echo('-42')))).toBe('taken')
  })

  test.each<[string, CallbackRequest, string]>([
    ['without a signature', without('msg_signature'), 'malformed'],
    ['without a timestamp', without('timestamp'), 'malformed'],
    ['without a nonce', without('nonce'), 'malformed'],
    ['without any query', { ...good, query: {} }, 'malformed'],
    [
      'with the signature of the query only',
      {
        ...good,
        query: { ...good.query, signature: good.query.msg_signature ?? '', msg_signature: '0'.repeat(40) },
      },
      'signature',
    ],
    ['with another nonce', { ...good, query: { ...good.query, nonce: '1' } }, 'signature'],
    [
      'with another timestamp',
      { ...good, query: { ...good.query, timestamp: String(Number(SECONDS) + 1) } },
      'signature',
    ],
    ['ten minutes and a second late', at(-601), 'signature'],
    ['ten minutes and a second early', at(601), 'signature'],
    ['with the body of another callback', { ...good, body: inner(xml).body }, 'signature'],
    ['signed with another token', envelope({ ...wecomSeal, token: 'other' }, encrypted), 'signature'],
    [
      'encrypted for another company',
      envelope(wecomSeal, encryptFor({ ...wecomSeal, receiveId: 'ww0' }, xml)),
      'signature',
    ],
    ['with a ciphertext that is not base64', envelope(wecomSeal, '###'), 'malformed'],
    ['with a short ciphertext', envelope(wecomSeal, 'AAAA'), 'signature'],
    ['with an empty ciphertext', envelope(wecomSeal, ''), 'malformed'],
    ['without a body', { ...good, body: '' }, 'malformed'],
    ['with JSON', { ...good, body: JSON.stringify({ encrypt: encrypted }) }, 'malformed'],
    ['with a plain message', { ...good, body: xml }, 'malformed'],
    [
      'with two ciphertexts',
      { ...good, body: good.body.replace('</xml>', `<Encrypt>${encrypted}</Encrypt></xml>`) },
      'malformed',
    ],
    ['with a document type', { ...good, body: `<!DOCTYPE xml>${good.body}` }, 'malformed'],
    ['around something that is not XML', inner('hello'), 'malformed'],
    ['around nothing', inner(''), 'malformed'],
    ['around a document type', inner(`<!DOCTYPE xml>${xml}`), 'malformed'],
    ['around JSON', inner('{"MsgType":"text"}'), 'malformed'],
    ['around XML without a sender', inner(xml.replace(/<FromUserName>.*<\/FromUserName>/, '')), 'malformed'],
    ['around XML without a receiver', inner(xml.replace(/<ToUserName>.*<\/ToUserName>/, '')), 'malformed'],
    ['around XML without a time', inner(xml.replace(/<CreateTime>.*<\/CreateTime>/, '')), 'malformed'],
    ['around XML without a type', inner(xml.replace(/<MsgType>.*<\/MsgType>/, '')), 'malformed'],
    ['around an event without a name', inner(event('')), 'malformed'],
    ['around a group change without a group', inner(event('change_external_chat')), 'malformed'],
    ['as an echo that is signed wrongly', echo('1', { msg_signature: '0'.repeat(40) }), 'signature'],
    ['as an empty echo', echo('1', { echostr: '' }), 'signature'],
    [
      "as an echo that is somebody's message",
      { query: { ...good.query, echostr: encrypted }, body: '' },
      'malformed',
    ],
  ])('%s', (_name, request, expected) => {
    expect(verdict(() => receive(request))).toBe(expected)
  })

  test('once any byte of its ciphertext has changed', () => {
    const bytes = Buffer.from(encrypted, 'base64')
    for (const index of bytes.keys()) {
      const flipped = Buffer.from(bytes)
      flipped[index] = (flipped[index] as number) ^ 1
      const body = good.body.replace(encrypted, flipped.toString('base64'))
      expect(verdict(() => receive({ ...good, body }))).toBe('signature')
    }
  })
})

describe('the answer', () => {
  const update = received(textXml(wecomSeal, '你好'))
  test('without a reply is empty', () => {
    expect(channel.acknowledge(update, null, NOW)).toEqual({ contentType: 'text/plain', body: '' })
  })

  test('with a reply is encrypted, to the sender', () => {
    const { body } = channel.acknowledge(update, '收到', NOW)
    const plain = decryptMessage(
      callbackKey(wecomSeal.token, wecomSeal.aesKey, wecomSeal.receiveId),
      textOf(parseXml(body), 'Encrypt') ?? '',
    )
    expect(parseXml(plain)).toEqual({
      ToUserName: 'zhangsan',
      FromUserName: wecomSeal.receiveId,
      CreateTime: SECONDS,
      MsgType: 'text',
      Content: '收到',
    })
    expect(body).not.toContain('收到')
  })
})
