import { describe, expect, test } from 'vitest'
import type { Update } from '../../../server/channels/channel.ts'
import { received, wecomDoor } from './doors.ts'
import { encryptFor, envelope, NOW, SECONDS, wecomSeal } from './envelopes.ts'

const door = wecomDoor()
const receive = (xml: string) => received(door, envelope(wecomSeal, encryptFor(wecomSeal, xml)))

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
/** The same event as an app of a third party gets it. */
const info = (name: string, own = '') =>
  `<xml><SuiteId><![CDATA[ww4asffe99e54c0f4c]]></SuiteId><AuthCorpId><![CDATA[wxf8b4f85f3a794e77]]></AuthCorpId>` +
  `<InfoType><![CDATA[${name}]]></InfoType><TimeStamp>${SECONDS}</TimeStamp>${own}</xml>`

const media = { kind: 'media', mediaId: null, url: null, text: '' }
const tapped = { kind: 'tapped', key: '', responseCode: null, taskId: null, cardType: null, selected: [] }

describe('a message', () => {
  test.each<[string, string, object]>([
    ['text', '<Content><![CDATA[你好]]></Content>', { kind: 'text', text: '你好' }],
    ['text', '<Content>\n <![CDATA[ 入群 12 ]]>\n</Content>', { kind: 'text', text: '入群 12' }],
    ['text', '<Content>&lt;b&gt; &amp;amp; &#x4F60;</Content>', { kind: 'text', text: '<b> &amp; 你' }],
    ['text', '<Content><![CDATA[a]]]]><![CDATA[>b]]></Content>', { kind: 'text', text: 'a]]>b' }],
    ['text', '<Content>a\0b</Content>', { kind: 'text', text: 'ab' }],
    ['text', '', { kind: 'text', text: '' }],
    [
      'image',
      '<PicUrl><![CDATA[https://p/1]]></PicUrl><MediaId>m1</MediaId>',
      { ...media, mediaType: 'image', mediaId: 'm1', url: 'https://p/1' },
    ],
    ['image', '', { ...media, mediaType: 'image' }],
    ['voice', '<MediaId>m2</MediaId><Format>amr</Format>', { ...media, mediaType: 'voice', mediaId: 'm2' }],
    [
      'video',
      '<MediaId>m3</MediaId><ThumbMediaId>t</ThumbMediaId>',
      { ...media, mediaType: 'video', mediaId: 'm3' },
    ],
    [
      'shortvideo',
      '<MediaId>m4</MediaId><ThumbMediaId>t</ThumbMediaId>',
      { ...media, mediaType: 'shortvideo', mediaId: 'm4' },
    ],
    ['file', '<MediaId>m5</MediaId>', { ...media, mediaType: 'file', mediaId: 'm5' }],
    ['Text', '<Content>大写</Content>', { kind: 'text', text: '大写' }],
    [
      'link',
      '<Title>标题</Title><Description>说明</Description><Url>https://a.cn</Url><PicUrl>p</PicUrl>',
      { ...media, mediaType: 'link', url: 'https://a.cn', text: '标题\n说明' },
    ],
    ['link', '<Title>标题</Title>', { ...media, mediaType: 'link', text: '标题' }],
    [
      'location',
      '<Location_X>38.285</Location_X><Location_Y>109.734</Location_Y><Scale>15</Scale><Label>榆阳区</Label><AppType>wxwork</AppType>',
      {
        kind: 'place',
        how: 'sent',
        latitude: '38.285',
        longitude: '109.734',
        detail: '15',
        label: '榆阳区',
      },
    ],
  ])('of type %s', (type, own, expected) => {
    expect(receive(message(type, own))).toEqual({
      channel: 'wecom',
      addressSpace: 'wecom',
      // samples of different types share one id
      dedupeKey:
        type.toLowerCase() === 'text' ? 'id:4561255354251345929' : expect.stringMatching(/^hash:[\w-]{43}$/),
      address: 'zhangsan',
      recipient: wecomSeal.receiveId,
      at: NOW,
      ...expected,
    })
  })
})

const card =
  '<EventKey>已转 3</EventKey><TaskId>t1</TaskId><CardType>vote_interaction</CardType><ResponseCode>rc</ResponseCode>'
const cardTapped = {
  ...tapped,
  key: '已转 3',
  responseCode: 'rc',
  taskId: 't1',
  cardType: 'vote_interaction',
}
const place = { kind: 'place', latitude: '38.2', longitude: '109.7' }

describe('an event', () => {
  test.each<[string, string, object]>([
    ['subscribe', '', { kind: 'followed', scene: null, isScan: false }],
    ['unsubscribe', '', { kind: 'unfollowed' }],
    ['enter_agent', '<EventKey></EventKey>', { kind: 'entered' }],
    ['click', '<EventKey><![CDATA[帮助]]></EventKey>', { ...tapped, key: '帮助' }],
    ['view', '<EventKey>https://example.cn</EventKey>', { kind: 'opened', target: 'https://example.cn' }],
    ['CLICK', '<EventKey>帮助</EventKey>', { ...tapped, key: '帮助' }],
    ['VIEW', '<EventKey>https://example.cn</EventKey>', { kind: 'opened', target: 'https://example.cn' }],
    ['view_miniprogram', '<EventKey>pages/a</EventKey>', { kind: 'opened', target: 'pages/a' }],
    [
      'scancode_push',
      '<EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>',
      { kind: 'scanned', key: 'k', scanType: 'qrcode', result: '1' },
    ],
    [
      'scancode_waitmsg',
      '<EventKey>k</EventKey><ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>69,1</ScanResult></ScanCodeInfo>',
      { kind: 'scanned', key: 'k', scanType: 'barcode', result: '69,1' },
    ],
    [
      'pic_sysphoto',
      '<EventKey>k</EventKey><SendPicsInfo><Count>1</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item></PicList></SendPicsInfo>',
      { kind: 'pictured', key: 'k', count: 1 },
    ],
    [
      'pic_photo_or_album',
      '<EventKey>k</EventKey><SendPicsInfo><PicList><item><PicMd5Sum>a</PicMd5Sum></item><item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo>',
      { kind: 'pictured', key: 'k', count: 2 },
    ],
    ['pic_weixin', '<EventKey>k</EventKey>', { kind: 'pictured', key: 'k', count: 0 }],
    [
      'location_select',
      '<SendLocationInfo><Location_X>38.2</Location_X><Location_Y>109.7</Location_Y><Scale>16</Scale><Label></Label><Poiname>榆林</Poiname></SendLocationInfo>',
      { ...place, how: 'picked', detail: '16', label: '榆林' },
    ],
    [
      'LOCATION',
      '<Latitude>38.2</Latitude><Longitude>109.7</Longitude><Precision>65.0</Precision><AppType>wxwork</AppType>',
      { ...place, how: 'reported', detail: '65.0', label: '' },
    ],
    ['template_card_event', card, cardTapped],
    ['template_card_menu_event', card, cardTapped],
    ['template_card_event', '<EventKey>k</EventKey>', { ...tapped, key: 'k' }],
    [
      'template_card_event',
      `${card}<SelectedItems><SelectedItem><QuestionKey>q1</QuestionKey><OptionIds><OptionId>a</OptionId><OptionId>b</OptionId></OptionIds></SelectedItem></SelectedItems>`,
      { ...cardTapped, selected: [{ question: 'q1', options: ['a', 'b'] }] },
    ],
    [
      'template_card_event',
      `${card}<SelectedItems><SelectedItem><QuestionKey>q1</QuestionKey><OpitonIds><OpitonId>a</OpitonId></OpitonIds></SelectedItem><SelectedItem><QuestionKey>q2</QuestionKey><OptionIds></OptionIds></SelectedItem></SelectedItems>`,
      {
        ...cardTapped,
        selected: [
          { question: 'q1', options: ['a'] },
          { question: 'q2', options: [] },
        ],
      },
    ],
    [
      'template_card_event',
      `${card}<SelectedItems><SelectedItem><QuestionKey>q1</QuestionKey><OptionIds><OpitonId>a</OpitonId><OpitonId>b</OpitonId></OptionIds></SelectedItem></SelectedItems>`,
      { ...cardTapped, selected: [{ question: 'q1', options: ['a', 'b'] }] },
    ],
    [
      'batch_job_result',
      '<BatchJob><JobId>j1</JobId><JobType>sync_user</JobType><ErrCode>0</ErrCode><ErrMsg>ok</ErrMsg></BatchJob>',
      { kind: 'job', job: 'sync_user', jobId: 'j1', errcode: '0', message: 'ok' },
    ],
    [
      'upload_media_job_finish',
      '<JobId>j2</JobId>',
      { kind: 'job', job: 'upload_media_job_finish', jobId: 'j2', errcode: '', message: '' },
    ],
    [
      'inactive_alert',
      `<EffectTime>${SECONDS}</EffectTime>`,
      { kind: 'app_state', state: 'inactive_alert', effectAt: NOW },
    ],
    ['inactive_alert', '<EffectTime>soon</EffectTime>', { state: 'inactive_alert', effectAt: null }],
    ['close_inactive_agent', '', { kind: 'app_state', state: 'closed_inactive', effectAt: null }],
    ['reopen_inactive_agent', '', { kind: 'app_state', state: 'reopened' }],
    ['low_active_alert', '', { kind: 'app_state', state: 'low_active_alert' }],
    ['low_active', '', { kind: 'app_state', state: 'low_active' }],
    ['active_restored', '', { kind: 'app_state', state: 'active_restored' }],
    ['open_approval_change', '', { kind: 'corp_change', event: 'open_approval_change' }],
    ['share_chain_change', '', { kind: 'corp_change', event: 'share_chain_change' }],
    ['change_chain', '', { kind: 'corp_change', event: 'change_chain' }],
  ])('%s', (name, own, expected) => {
    expect(receive(event(name, own))).toMatchObject({ address: 'zhangsan', at: NOW, ...expected })
  })

  test('has no id of its own: its key is a hash of the whole, so that a burst in one second is told apart', () => {
    const keys = ['a', 'b', 'a'].map(key => receive(event('click', `<EventKey>${key}</EventKey>`)).dedupeKey)
    expect(keys[0]).toMatch(/^hash:[\w-]{43}$/)
    expect(keys[1]).not.toBe(keys[0])
    expect(keys[2]).toBe(keys[0])
    // a message that an event is about is not the event
    expect(receive(event('click', '<MsgId>4561255354251345929</MsgId>')).dedupeKey).toMatch(/^hash:/)
  })
})

/** What the corp is told of comes in the head of its own app, or in that of a third party's. */
describe.each([
  ['its own app', event, { address: 'sys', recipient: wecomSeal.receiveId }],
  ['a third party', info, { address: 'sys', recipient: 'wxf8b4f85f3a794e77' }],
])('by the head of %s', (_name, write, head) => {
  const change = (name: string, own: string) => receive(write(name, own, 'sys'))
  const versions = '<LastMemVer>v1</LastMemVer><CurMemVer>v2</CurMemVer>'
  const update = (detail: string, own = '') =>
    `<ChangeType>update</ChangeType><UpdateDetail>${detail}</UpdateDetail>${own}`
  const quiet = { addresses: [], count: null, joinScene: null, quitScene: null }

  test.each<[string, string, object]>([
    ['made', '<ChangeType>create</ChangeType>', { ...quiet, change: 'created' }],
    ['dissolved', '<ChangeType>dismiss</ChangeType>', { ...quiet, change: 'dismissed' }],
    [
      'joined, as items',
      update(
        'add_member',
        '<JoinScene>3</JoinScene><MemChangeCnt>2</MemChangeCnt><MemChangeList><Item>wm1</Item><Item>wm2</Item></MemChangeList>',
      ),
      { change: 'joined', addresses: ['wm1', 'wm2'], count: 2, joinScene: 'scanned', quitScene: null },
    ],
    [
      'joined, one item',
      update(
        'add_member',
        '<JoinScene>0</JoinScene><MemChangeList><Item><![CDATA[wm1]]></Item></MemChangeList>',
      ),
      { change: 'joined', addresses: ['wm1'], count: null, joinScene: 'invited' },
    ],
    [
      'joined, with the scene of the official sample',
      update('add_member', '<JoinScene>1</JoinScene><MemChangeCnt>1</MemChangeCnt>'),
      { change: 'joined', addresses: [], count: 1, joinScene: null },
    ],
    [
      'left, as text with commas',
      update(
        'del_member',
        '<QuitScene>1</QuitScene><MemChangeCnt>2</MemChangeCnt><MemChangeList><![CDATA[wm1, wm2,]]></MemChangeList>',
      ),
      { change: 'left', addresses: ['wm1', 'wm2'], count: 2, joinScene: null, quitScene: 'removed' },
    ],
    [
      'left by themselves',
      update('del_member', '<QuitScene>0</QuitScene><MemChangeList><Item>wm1</Item></MemChangeList>'),
      { change: 'left', quitScene: 'left' },
    ],
    [
      'another owner',
      update('change_owner', '<JoinScene>0</JoinScene>'),
      { ...quiet, change: 'owner_changed' },
    ],
    ['another name', update('change_name'), { ...quiet, change: 'renamed' }],
    ['a notice', update('change_notice'), { ...quiet, change: 'notice_changed' }],
    ['no detail', '<ChangeType>update</ChangeType>', { ...quiet, change: 'other' }],
    ["a detail named like an object's own", update('constructor'), { ...quiet, change: 'other' }],
    [
      'an empty list, and a count that is none',
      update('add_member', '<MemChangeCnt>many</MemChangeCnt><MemChangeList></MemChangeList>'),
      { ...quiet, change: 'joined' },
    ],
  ])('a customer group: %s', (_name, own, expected) => {
    expect(change('change_external_chat', `<ChatId><![CDATA[wr1]]></ChatId>${own}${versions}`)).toMatchObject(
      {
        ...head,
        at: NOW,
        kind: 'group',
        chatId: 'wr1',
        lastVersion: 'v1',
        version: 'v2',
        ...expected,
      },
    )
  })

  const who = '<UserID>lisi</UserID><ExternalUserID>wm1</ExternalUserID>'
  const customer = {
    kind: 'customer',
    userId: 'lisi',
    customerId: 'wm1',
    state: null,
    welcomeCode: null,
    reason: null,
  }
  test.each<[string, string, object]>([
    [
      'add_external_contact',
      '<State>g12</State><WelcomeCode>wc</WelcomeCode>',
      { change: 'added', state: 'g12', welcomeCode: 'wc' },
    ],
    ['add_external_contact', '', { change: 'added' }],
    [
      'add_half_external_contact',
      '<State>g12</State><WelcomeCode>wc</WelcomeCode>',
      { change: 'half_added', state: 'g12', welcomeCode: 'wc' },
    ],
    ['edit_external_contact', '<State>g12</State>', { change: 'edited', state: 'g12' }],
    ['del_external_contact', '', { change: 'removed_by_staff' }],
    [
      'del_external_contact',
      '<Source>DELETE_BY_TRANSFER</Source>',
      { change: 'removed_by_staff', reason: 'DELETE_BY_TRANSFER' },
    ],
    ['del_follow_user', '', { change: 'removed_by_customer' }],
    [
      'transfer_fail',
      '<FailReason>customer_refused</FailReason>',
      { change: 'transfer_failed', reason: 'customer_refused' },
    ],
    ['msg_audit_approved', '', { change: 'archive_agreed' }],
    ['something_new', '', { change: 'other' }],
  ])('a customer: %s', (name, own, expected) => {
    expect(change('change_external_contact', `<ChangeType>${name}</ChangeType>${who}${own}`)).toMatchObject({
      ...head,
      at: NOW,
      ...customer,
      ...expected,
    })
  })

  const tag = { kind: 'tag', tagId: 'et1', isGroup: false, strategyId: null }
  test.each<[string, string, object]>([
    ['create', '<TagType>tag</TagType>', { ...tag, change: 'created' }],
    [
      'update',
      '<TagType>tag_group</TagType><StrategyId>2</StrategyId>',
      { ...tag, change: 'updated', isGroup: true, strategyId: '2' },
    ],
    ['delete', '<TagType>tag</TagType>', { ...tag, change: 'deleted' }],
    ['shuffle', '<TagType>tag_group</TagType>', { ...tag, change: 'shuffled', isGroup: true }],
    ['paint', '', { ...tag, change: 'other' }],
  ])('a tag: %s', (name, own, expected) => {
    expect(change('change_external_tag', `<ChangeType>${name}</ChangeType><Id>et1</Id>${own}`)).toMatchObject(
      { ...head, ...expected },
    )
  })

  test.each<[string, string, object]>([
    [
      'create_user',
      '<UserID>lisi</UserID><Name>李四</Name><Department>1,2,3</Department><IsLeaderInDept><![CDATA[1,0,0]]></IsLeaderInDept>',
      {
        change: 'user_created',
        id: 'lisi',
        newUserId: null,
        details: { Name: '李四', Department: '1,2,3', IsLeaderInDept: '1,0,0' },
      },
    ],
    [
      'update_user',
      '<UserID>lisi</UserID><NewUserID>lisi2</NewUserID><ExtAttr><Item><Name>爱好</Name></Item></ExtAttr>',
      { change: 'user_updated', id: 'lisi', newUserId: 'lisi2', details: {} },
    ],
    ['delete_user', '<UserID>lisi</UserID>', { change: 'user_deleted', id: 'lisi', details: {} }],
    [
      'create_party',
      '<Id>2</Id><Name>团支部</Name><ParentId>1</ParentId><Order>1</Order>',
      { change: 'department_created', id: '2', details: { Name: '团支部', ParentId: '1', Order: '1' } },
    ],
    ['update_party', '<Id>2</Id>', { change: 'department_updated', id: '2' }],
    ['delete_party', '<Id>2</Id>', { change: 'department_deleted', id: '2' }],
    [
      'update_tag',
      '<TagId>7</TagId><AddUserItems>zhangsan,lisi</AddUserItems><DelPartyItems><Item>1</Item><Item>2</Item></DelPartyItems>',
      {
        change: 'tag_updated',
        id: '7',
        details: { AddUserItems: 'zhangsan,lisi', DelPartyItems: '1,2' },
      },
    ],
    ['something_new', '<UserID>lisi</UserID>', { change: 'other', id: 'lisi' }],
  ])('the address book: %s', (name, own, expected) => {
    expect(change('change_contact', `<ChangeType>${name}</ChangeType>${own}`)).toMatchObject({
      ...head,
      kind: 'contact',
      ...expected,
    })
  })
})

describe('what is not known is kept', () => {
  const xml = message('text', '<Content>a</Content>')
  test.each<[string, string, Partial<Update> & { name: string }]>([
    ['a type', message('sticker', '<MediaId>m</MediaId>'), { name: 'sticker', address: 'zhangsan', at: NOW }],
    ['an event', event('kf_msg_or_event', '<Token>t</Token>'), { name: 'event:kf_msg_or_event' }],
    ['a change', event('msgaudit_notify', '<ChangeType>x</ChangeType>'), { name: 'event:msgaudit_notify/x' }],
    ['a third party’s', info('suite_ticket', '<SuiteTicket>t</SuiteTicket>'), { name: 'info:suite_ticket' }],
    [
      'a group change without a group',
      event('change_external_chat', '<ChangeType>create</ChangeType>'),
      { name: 'event:change_external_chat/create' },
    ],
    [
      'a customer without a customer',
      event('change_external_contact', '<ChangeType>del_follow_user</ChangeType><UserID>lisi</UserID>'),
      { name: 'event:change_external_contact/del_follow_user' },
    ],
    [
      'a member without an id',
      event('change_contact', '<ChangeType>create_user</ChangeType>'),
      { name: 'event:change_contact/create_user' },
    ],
    ['a job without an id', event('batch_job_result', '<BatchJob/>'), { name: 'event:batch_job_result' }],
    ['an odd name', message('a b"c\n\'<é', ''), { name: 'a_b_c____' }],
    ['a long name', event('x'.repeat(5000)), { name: `event:${'x'.repeat(94)}` }],
    ["a name like an object's own", message('constructor', ''), { name: 'constructor' }],
    ['an event without a name', event(''), { name: 'unreadable', address: 'zhangsan' }],
    ['XML without a type', xml.replace(/<MsgType>.*<\/MsgType>/, ''), { name: 'unreadable' }],
    ['XML of nothing known', '<xml><A>1</A></xml>', { name: 'unreadable', address: 'sys', recipient: '' }],
    ['a sender that no index could hold', xml.replace('zhangsan', 'z'.repeat(200)), { name: 'unreadable' }],
    ['no XML', 'hello', { name: 'unreadable', address: 'sys', at: NOW }],
    ['nothing', '', { name: 'unreadable' }],
    ['half of JSON', '{"MsgType":"text"', { name: 'unreadable' }],
    ['an event in JSON', '{"MsgType":"event","Event":"new_thing"}', { name: 'event:new_thing' }],
    ['a document type', `<!DOCTYPE xml>${xml}`, { name: 'unreadable' }],
    [
      'an entity of its own',
      `<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>${xml.replace('>a<', '>&a;<')}`,
      { name: 'unreadable' },
    ],
    ['a bare ampersand', xml.replace('>a<', '>a & b<'), { name: 'unreadable' }],
    ['half of it', xml.slice(0, -20), { name: 'unreadable' }],
  ])('%s', (_name, body, expected) => {
    expect(receive(body)).toMatchObject({ kind: 'unknown', channel: 'wecom', body, ...expected })
  })
})

describe('what is missing is made up for', () => {
  const xml = message('text', '<Content>a</Content>')
  const without = (name: string) => xml.replace(new RegExp(`<${name}>.*</${name}>`), '')
  test.each<[string, string, object]>([
    ['no sender', without('FromUserName'), { kind: 'text', address: 'sys' }],
    [
      'JSON in the place of XML',
      `{"FromUserName":"zhangsan","CreateTime":${SECONDS},"MsgType":"text","Content":"a","MsgId":4561255354251345929}`,
      { kind: 'text', text: 'a', address: 'zhangsan', at: NOW, dedupeKey: 'id:4561255354251345929' },
    ],
    ['no receiver', without('ToUserName'), { kind: 'text', address: 'zhangsan', recipient: '' }],
    ['no time', without('CreateTime'), { kind: 'text', at: NOW }],
    ['a time in words', xml.replace(SECONDS, 'yesterday'), { at: NOW }],
    ['a time in CDATA', xml.replace(SECONDS, '<![CDATA[1409659813]]>'), { at: new Date(1409659813_000) }],
    ['a time of 1970', xml.replace(SECONDS, '0'), { at: new Date(0) }],
    ['no id', without('MsgId'), { kind: 'text', dedupeKey: expect.stringMatching(/^hash:[\w-]{43}$/) }],
    [
      'two ids',
      xml.replace('</xml>', '<MsgId>1</MsgId></xml>'),
      { dedupeKey: expect.stringMatching(/^hash:/) },
    ],
    [
      'an id that no index could hold',
      xml.replace('4561255354251345929', '9'.repeat(9000)),
      { dedupeKey: expect.stringMatching(/^hash:/) },
    ],
    [
      'the longest id',
      xml.replace('4561255354251345929', '18446744073709551615'),
      { dedupeKey: 'id:18446744073709551615' },
    ],
    [
      'Windows line ends, a byte order mark, comments and spaces',
      `\uFEFF<?xml version="1.0"?>\r\n<!-- a -->${xml.replaceAll(/(<\/?\w+>)/g, '\r\n  $1\r\n')}`,
      { kind: 'text', text: 'a', address: 'zhangsan', at: NOW, dedupeKey: 'id:4561255354251345929' },
    ],
  ])('%s', (_name, body, expected) => {
    expect(receive(body)).toMatchObject(expected)
  })
})
