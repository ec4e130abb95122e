import { describe, expect, test } from 'vitest'
import { signatureOf } from '../../../scripts/simulator/crypto.ts'
import { toXml, type XmlFields } from '../../../scripts/simulator/xml.ts'
import type { CallbackRequest, Update } from '../../../server/channels/channel.ts'
import { accountDoor, received } from './doors.ts'
import { accountSeal, encryptFor, envelope, NOW, SECONDS } from './envelopes.ts'

type Mode = 'plain' | 'compatible' | 'secure'
type Format = 'XML' | 'JSON'
type Fields = XmlFields

const nonce = '486452656'
const signed = { signature: signatureOf(accountSeal.token, SECONDS, nonce), timestamp: SECONDS, nonce }
const ID = '4561255354251345929'

/** JSON has the message id as a number that no JavaScript number can hold. */
const toJson = (fields: Fields) => JSON.stringify(fields).replace(`"${ID}"`, ID)
const writers: Record<Format, (fields: Fields) => string> = { XML: toXml, JSON: toJson }

/** A callback as the platform sends it; only the ciphertext's copy is true where there is one. */
function request(mode: Mode, format: Format, fields: Fields): CallbackRequest {
  const body = writers[format](fields)
  if (mode === 'plain') return { query: { ...signed, openid: 'o-1' }, body }
  const Encrypt = encryptFor(accountSeal, body)
  const outer =
    mode === 'secure' ? { ToUserName: 'gh_1', Encrypt } : { ...fields, Content: 'untrue', Encrypt }
  const { query } = envelope(accountSeal, Encrypt, { nonce })
  return { query: { ...signed, encrypt_type: 'aes', ...query }, body: writers[format](outer) }
}

const head = { ToUserName: 'gh_1', FromUserName: 'o-1', CreateTime: Number(SECONDS) }
const event = (name: string, own: Fields = {}): Fields => ({ ...head, MsgType: 'event', Event: name, ...own })

const media = { kind: 'media', mediaId: null, url: null, text: '' }
const tapped = { kind: 'tapped', key: '', responseCode: null, taskId: null, cardType: null, selected: [] }
const place = { kind: 'place', latitude: '38.2', longitude: '109.7' }
const item = { templateId: 't1', status: '', messageId: '', errorCode: '', errorStatus: '' }

const messages: [string, Fields, object][] = [
  ['text', { Content: '你好' }, { kind: 'text', text: '你好' }],
  ['text', { Content: '<!DOCTYPE html> ]]> &amp;' }, { kind: 'text', text: '<!DOCTYPE html> ]]> &amp;' }],
  ['text', { Content: '满意', bizmsgmenuid: '101' }, { kind: 'text', text: '满意' }],
  ['text', { Content: '收到', bizmsgmenuid: 'qz:收 12' }, { ...tapped, key: '收 12' }],
  [
    'image',
    { PicUrl: 'http://p/1', MediaId: 'm1' },
    { ...media, mediaType: 'image', mediaId: 'm1', url: 'http://p/1' },
  ],
  ['voice', { MediaId: 'm2', Format: 'amr' }, { ...media, mediaType: 'voice', mediaId: 'm2' }],
  [
    'voice',
    { MediaId: 'm2', Recognition: '帮助' },
    { ...media, mediaType: 'voice', mediaId: 'm2', text: '帮助' },
  ],
  ['video', { MediaId: 'm3', ThumbMediaId: 't' }, { ...media, mediaType: 'video', mediaId: 'm3' }],
  ['shortvideo', { MediaId: 'm4' }, { ...media, mediaType: 'shortvideo', mediaId: 'm4' }],
  [
    'location',
    { Location_X: '38.2', Location_Y: '109.7', Scale: 15, Label: '榆阳区' },
    { ...place, how: 'sent', detail: '15', label: '榆阳区' },
  ],
  [
    'link',
    { Title: '标题', Description: '说明', Url: 'https://a.cn' },
    { ...media, mediaType: 'link', url: 'https://a.cn', text: '标题\n说明' },
  ],
  ['file', { Title: '名单.xlsx', FileKey: 'k', FileTotalLen: 222 }, { ...media, mediaType: 'file' }],
  ['Text', { Content: '大写' }, { kind: 'text', text: '大写' }],
  ['mpnews', {}, { kind: 'unknown', name: 'mpnews' }],
]

const events: [string, Fields, object][] = [
  ['subscribe', {}, { kind: 'followed', scene: null, isScan: false }],
  ['subscribe', { EventKey: '' }, { kind: 'followed', scene: null, isScan: false }],
  ['subscribe', { EventKey: 'last_trade_no_1' }, { kind: 'followed', scene: null, isScan: false }],
  ['subscribe', { EventKey: 'qrscene_g12', Ticket: 't' }, { kind: 'followed', scene: 'g12', isScan: false }],
  ['SCAN', { EventKey: 'g12', Ticket: 't' }, { kind: 'followed', scene: 'g12', isScan: true }],
  ['SCAN', { EventKey: 12 }, { kind: 'followed', scene: '12', isScan: true }],
  ['scan', { EventKey: 'g12' }, { kind: 'followed', scene: 'g12', isScan: true }],
  ['location', { Latitude: '38.2', Longitude: '109.7' }, { ...place, how: 'reported' }],
  ['click', { EventKey: '帮助' }, { ...tapped, key: '帮助' }],
  ['TemplateSendJobFinish', { MsgID: 7, Status: 'success' }, { kind: 'template_result', messageId: '7' }],
  ['SCAN', {}, { kind: 'followed', scene: null, isScan: true }],
  ['unsubscribe', {}, { kind: 'unfollowed' }],
  [
    'LOCATION',
    { Latitude: '38.2', Longitude: '109.7', Precision: '65.000000' },
    { ...place, how: 'reported', detail: '65.000000', label: '' },
  ],
  ['CLICK', { EventKey: '帮助' }, { ...tapped, key: '帮助' }],
  [
    'VIEW',
    { EventKey: 'https://a.cn/?b=1&c=2', MenuId: 7 },
    { kind: 'opened', target: 'https://a.cn/?b=1&c=2' },
  ],
  ['view_miniprogram', { EventKey: 'pages/a' }, { kind: 'opened', target: 'pages/a' }],
  [
    'scancode_waitmsg',
    { EventKey: 'k', ScanCodeInfo: { ScanType: 'qrcode', ScanResult: '1' } },
    { kind: 'scanned', key: 'k', scanType: 'qrcode', result: '1' },
  ],
  [
    'scancode_push',
    { EventKey: 'k', ScanCodeInfo: { ScanType: 'barcode', ScanResult: '69' } },
    { kind: 'scanned', key: 'k', scanType: 'barcode', result: '69' },
  ],
  ['pic_weixin', { EventKey: 'k', SendPicsInfo: { Count: 2 } }, { kind: 'pictured', key: 'k', count: 2 }],
  [
    'pic_sysphoto',
    { EventKey: 'k', SendPicsInfo: { PicList: { item: [{ PicMd5Sum: 'a' }, { PicMd5Sum: 'b' }] } } },
    { kind: 'pictured', key: 'k', count: 2 },
  ],
  [
    'location_select',
    { SendLocationInfo: { Location_X: '38.2', Location_Y: '109.7', Scale: '15', Label: '榆林' } },
    { ...place, how: 'picked', detail: '15', label: '榆林' },
  ],
  ...(
    [
      ['success', 'delivered'],
      ['failed:user block', 'blocked'],
      ['failed: user block', 'blocked'],
      ['failed: system failed', 'failed'],
      ['failed:system failed', 'failed'],
      ['failed:freq limit', 'failed'],
    ] as const
  ).map(
    ([Status, result]) =>
      [
        'TEMPLATESENDJOBFINISH',
        { MsgID: '1700827132819554304', Status },
        { kind: 'template_result', messageId: '1700827132819554304', result, reason: Status },
      ] as [string, Fields, object],
  ),
  ...(
    [
      ['send success', true],
      ['sendsuccess', true],
      ['send fail', false],
      ['err(10001)', false],
    ] as const
  ).map(
    ([Status, isSent]) =>
      [
        'MASSSENDJOBFINISH',
        { MsgID: 1000001625, Status, TotalCount: '100', FilterCount: 80, SentCount: 75, ErrorCount: '5' },
        {
          kind: 'mass_result',
          messageId: '1000001625',
          isSent,
          status: Status,
          total: 100,
          filtered: 80,
          sent: 75,
          failed: 5,
        },
      ] as [string, Fields, object],
  ),
  [
    'PUBLISHJOBFINISH',
    { PublishEventInfo: { publish_id: '2247503051', publish_status: 0, article_id: 'a1' } },
    { kind: 'publish_result', publishId: '2247503051', status: '0', articleId: 'a1' },
  ],
  [
    'FREEPUBLISHJOBFINISH',
    { PublishEventInfo: { publish_id: '2247503051', publish_status: 2, fail_idx: [1, 2] } },
    { kind: 'publish_result', publishId: '2247503051', status: '2', articleId: null },
  ],
  [
    'subscribe_msg_popup_event',
    {
      SubscribeMsgPopupEvent: {
        List: { TemplateId: 't1', SubscribeStatusString: 'accept', PopupScene: 2 },
      },
    },
    { kind: 'subscription', event: 'popup', items: [{ ...item, status: 'accept' }] },
  ],
  [
    'subscribe_msg_popup_event',
    {
      SubscribeMsgPopupEvent: {
        List: [
          { TemplateId: 't1', SubscribeStatusString: 'accept' },
          { TemplateId: 't2', SubscribeStatusString: 'reject' },
        ],
      },
    },
    {
      kind: 'subscription',
      event: 'popup',
      items: [
        { ...item, status: 'accept' },
        { ...item, templateId: 't2', status: 'reject' },
      ],
    },
  ],
  [
    'subscribe_msg_popup_event',
    { List: { TemplateId: 't1', SubscribeStatusString: 'accept' } },
    { kind: 'subscription', event: 'popup', items: [{ ...item, status: 'accept' }] },
  ],
  [
    'subscribe_msg_popup_event',
    { List: [{ TemplateId: 't1' }, { TemplateId: 't2' }] },
    { kind: 'subscription', event: 'popup', items: [item, { ...item, templateId: 't2' }] },
  ],
  [
    'subscribe_msg_change_event',
    { SubscribeMsgChangeEvent: { List: { TemplateId: 't1', SubscribeStatusString: 'reject' } } },
    { kind: 'subscription', event: 'changed', items: [{ ...item, status: 'reject' }] },
  ],
  [
    'subscribe_msg_change_event',
    { SubscribeMsgPopupEvent: { List: { TemplateId: 't1', SubscribeStatusString: 'reject' } } },
    { kind: 'subscription', event: 'changed', items: [{ ...item, status: 'reject' }] },
  ],
  [
    'subscribe_msg_sent_event',
    {
      SubscribeMsgSentEvent: {
        List: { TemplateId: 't1', MsgID: '1864323726461255680', ErrorCode: 0, ErrorStatus: 'success' },
      },
    },
    {
      kind: 'subscription',
      event: 'sent',
      items: [{ ...item, messageId: '1864323726461255680', errorCode: '0', errorStatus: 'success' }],
    },
  ],
  [
    'user_authorization_revoke',
    { OpenID: 'o-9', AppID: 'wx1', RevokeInfo: '301,302' },
    { kind: 'authorization_revoked', openId: 'o-9', revoked: ['301', '302'], isClosed: false },
  ],
  [
    'user_authorization_cancellation',
    { OpenID: 'o-9' },
    { kind: 'authorization_revoked', openId: 'o-9', revoked: [], isClosed: true },
  ],
  [
    'user_authorization_revoke',
    { RevokeInfo: ['1', '2'] },
    { kind: 'authorization_revoked', openId: 'o-1', revoked: ['1', '2'] },
  ],
]

const unknown: [string, Fields][] = [
  ['subscribe_msg_popup_event', { SubscribeMsgPopupEvent: {} }],
  ['TEMPLATESENDJOBFINISH', { Status: 'success' }],
  ['MASSSENDJOBFINISH', { Status: 'send success' }],
  ['FREEPUBLISHJOBFINISH', {}],
  ['weapp_audit_success', { SuccTime: 1 }],
  ['constructor', {}],
]

const combinations = (['plain', 'compatible', 'secure'] as const).flatMap(mode =>
  (['XML', 'JSON'] as const).map(format => [mode, format] as const),
)

describe.each(combinations)('in %s mode, pushed as %s', (mode, format) => {
  const door = accountDoor(mode)
  const receive = (fields: Fields): Update => received(door, request(mode, format, fields))

  test.each(messages)('a message of type %s', (type, own, expected) => {
    expect(receive({ ...head, MsgType: type, ...own, MsgId: ID })).toMatchObject({
      channel: 'official-account',
      addressSpace: 'official-account',
      dedupeKey: type.toLowerCase() === 'text' ? `id:${ID}` : expect.stringMatching(/^hash:[\w-]{43}$/),
      address: 'o-1',
      recipient: 'gh_1',
      at: NOW,
      ...expected,
    })
  })

  test.each(events)('an event %s', (name, own, expected) => {
    const update = receive(event(name, own))
    expect(update).toMatchObject({ address: 'o-1', at: NOW, ...expected })
    expect(update.dedupeKey).toMatch(/^hash:/)
  })

  test.each(unknown)('an event %s that says too little is kept', (name, own) => {
    const fields = event(name, own)
    const body = writers[format](fields)
    expect(receive(fields)).toMatchObject({ kind: 'unknown', name: `event:${name}`, body })
  })

  test.each<[string, Fields, object]>([
    ['a time that no calendar has', { ...head, CreateTime: 999_999_999_999 }, { at: NOW, address: 'o-1' }],
    ['a time as text', { ...head, CreateTime: SECONDS }, { at: NOW, address: 'o-1' }],
    ['no time', { ToUserName: 'gh_1', FromUserName: 'o-1' }, { at: NOW, address: 'o-1' }],
    ['no sender', { ToUserName: 'gh_1', CreateTime: 1 }, { at: new Date(1000), address: 'sys' }],
    ['nothing of a head', {}, { at: NOW, address: 'sys', recipient: '' }],
  ])('with %s', (_name, fields, expected) => {
    expect(receive({ ...fields, MsgType: 'text', Content: 'a' })).toMatchObject({
      kind: 'text',
      text: 'a',
      ...expected,
    })
  })

  test('a body without a type is kept', () => {
    expect(receive({ A: '1' })).toMatchObject({ kind: 'unknown', name: 'unreadable', address: 'sys' })
  })
})
