import type { Chance } from '../demo/chance.ts'
import type { XmlFields } from '../simulator/xml.ts'
import { recipients } from './doors.ts'
import type { Sample, SampleInput } from './samples.ts'

/**
 * A push of the Official Account, of every kind that the platform documents.
 * @see https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html
 * @see https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_event_pushes.html
 */
export function accountSample(luck: Chance, input: SampleInput): Sample {
  const draw = luck.next()
  if (draw < 0.5) return message(luck, input)
  return draw < 0.8 ? userEvent(luck, input) : resultEvent(luck, input)
}

function message(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  const contents: XmlFields[] = [
    { MsgType: 'text', Content: `${luck.pick(['帮助', '入群 1', '您好', '发票怎么开？'])} ${mark}` },
    { MsgType: 'text', Content: mark, bizmsgmenuid: 101 },
    { MsgType: 'image', PicUrl: `http://mmbiz.qpic.cn/${mark}`, MediaId: mark },
    { MsgType: 'voice', MediaId: mark, Format: 'amr', Recognition: `帮助 ${mark}` },
    { MsgType: 'video', MediaId: mark, ThumbMediaId: `${mark}t` },
    { MsgType: 'shortvideo', MediaId: mark, ThumbMediaId: `${mark}t` },
    { MsgType: 'location', Location_X: 38.28, Location_Y: 109.73, Scale: 20, Label: mark },
    { MsgType: 'link', Title: mark, Description: '说明', Url: 'https://example.cn/?a=1&b=2' },
  ]
  const content = luck.pick(contents)
  return {
    name: `message:${content.MsgType}`,
    fields: { ...head(input), ...content, MsgId: BigInt(input.id) },
  }
}

function userEvent(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  const scan = { ScanCodeInfo: { ScanType: 'qrcode', ScanResult: mark } }
  const pictures = {
    SendPicsInfo: { Count: 2, PicList: { item: [{ PicMd5Sum: mark }, { PicMd5Sum: 'b' }] } },
  }
  const events: XmlFields[] = [
    { Event: 'subscribe', EventKey: '', Ticket: mark },
    { Event: 'subscribe', EventKey: `qrscene_${mark}`, Ticket: mark },
    { Event: 'unsubscribe', EventKey: mark },
    { Event: 'SCAN', EventKey: mark, Ticket: mark },
    { Event: 'LOCATION', Latitude: 38.28, Longitude: 109.73, Precision: 119.4, Note: mark },
    { Event: 'CLICK', EventKey: mark },
    { Event: 'VIEW', EventKey: `https://example.cn/${mark}`, MenuId: 1 },
    { Event: 'view_miniprogram', EventKey: mark, MenuId: 1 },
    { Event: 'scancode_push', EventKey: mark, ...scan },
    { Event: 'scancode_waitmsg', EventKey: mark, ...scan },
    { Event: 'pic_sysphoto', EventKey: mark, ...pictures },
    { Event: 'pic_weixin', EventKey: mark, ...pictures },
    {
      Event: 'location_select',
      EventKey: mark,
      SendLocationInfo: { Location_X: 38.2, Location_Y: 109.7, Scale: 16, Label: mark, Poiname: '' },
    },
    { Event: 'user_authorization_revoke', OpenID: `o${mark}`, AppID: mark, RevokeInfo: '1' },
    { Event: 'not_yet_invented', Note: mark },
  ]
  return eventOf(luck.pick(events), input)
}

function resultEvent(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  const messageId = BigInt(input.id)
  const consent = { TemplateId: mark, SubscribeStatusString: 'accept', PopupScene: 0 }
  const events: XmlFields[] = [
    { Event: 'TEMPLATESENDJOBFINISH', MsgID: messageId, Status: 'success' },
    { Event: 'TEMPLATESENDJOBFINISH', MsgID: messageId, Status: 'failed:user block' },
    {
      Event: 'MASSSENDJOBFINISH',
      MsgID: messageId,
      Status: 'err(20013)',
      TotalCount: 100,
      FilterCount: 80,
      SentCount: 75,
      ErrorCount: 5,
      CopyrightCheckResult: { Count: 0, ResultList: '', CheckState: 0 },
    },
    {
      Event: 'FREEPUBLISHJOBFINISH',
      PublishEventInfo: {
        publish_id: messageId,
        publish_status: 0,
        article_id: mark,
        article_detail: { count: 1, item: { idx: 1, article_url: 'https://example.cn/' } },
      },
    },
    {
      Event: 'subscribe_msg_popup_event',
      SubscribeMsgPopupEvent: { List: [consent, { ...consent, SubscribeStatusString: 'reject' }] },
    },
    { Event: 'subscribe_msg_change_event', SubscribeMsgChangeEvent: { List: consent } },
    {
      Event: 'subscribe_msg_sent_event',
      SubscribeMsgSentEvent: {
        List: { TemplateId: mark, MsgID: messageId, ErrorCode: 0, ErrorStatus: 'success' },
      },
    },
  ]
  return eventOf(luck.pick(events), input)
}

function eventOf(event: XmlFields, input: SampleInput): Sample {
  return { name: `event:${event.Event}`, fields: { ...head(input), MsgType: 'event', ...event } }
}

function head({ sender, seconds }: SampleInput): XmlFields {
  return { ToUserName: recipients['official-account'], FromUserName: `o-${sender}`, CreateTime: seconds }
}
