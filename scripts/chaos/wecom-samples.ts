import type { Chance } from '../demo/chance.ts'
import type { XmlFields } from '../simulator/xml.ts'
import { recipients } from './doors.ts'
import type { Sample, SampleInput } from './samples.ts'

/**
 * A callback of the WeCom app, of every kind that the platform documents.
 * @see https://developer.work.weixin.qq.com/document/path/90239 messages
 * @see https://developer.work.weixin.qq.com/document/path/90240 events
 * @see https://developer.work.weixin.qq.com/document/path/92130 customers and customer groups
 */
export function wecomSample(luck: Chance, input: SampleInput): Sample {
  const draw = luck.next()
  if (draw < 0.45) return message(luck, input)
  if (draw < 0.7) return appEvent(luck, input)
  if (draw < 0.95) return corpEvent(luck, input)
  return thirdParty(input)
}

function message(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  const contents: XmlFields[] = [
    { MsgType: 'text', Content: `${luck.pick(words)} ${mark}` },
    { MsgType: 'image', PicUrl: `https://p.qpic.cn/${mark}`, MediaId: mark },
    { MsgType: 'voice', MediaId: mark, Format: 'amr' },
    { MsgType: 'video', MediaId: mark, ThumbMediaId: `${mark}t` },
    {
      MsgType: 'location',
      Location_X: 38.2858,
      Location_Y: 109.7348,
      Scale: 15,
      Label: mark,
      AppType: 'wxwork',
    },
    { MsgType: 'link', Title: mark, Description: '说明', Url: 'https://example.cn/?a=1&b=2', PicUrl: '' },
  ]
  const content = luck.pick(contents)
  return {
    name: `message:${content.MsgType}`,
    fields: { ...head(input), ...content, MsgId: BigInt(input.id), AgentID: 1 },
  }
}

const words = ['帮助', '我的群', '你好', '取消', '请问今天几点开会？', '登记 12 致富 3条', '入群 1', '谢谢']

function appEvent(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  const scan = { ScanCodeInfo: { ScanType: 'qrcode', ScanResult: mark } }
  const pictures = { SendPicsInfo: { Count: 1, PicList: { item: { PicMd5Sum: mark } } } }
  const card = {
    EventKey: mark,
    TaskId: mark,
    CardType: 'multiple_interaction',
    ResponseCode: mark,
    SelectedItems: {
      SelectedItem: [
        { QuestionKey: 'q1', OptionIds: { OptionId: ['a', 'b'] } },
        { QuestionKey: 'q2', OpitonIds: { OpitonId: 'c' } },
      ],
    },
  }
  const events: XmlFields[] = [
    { Event: 'subscribe', EventKey: mark },
    { Event: 'unsubscribe', EventKey: mark },
    { Event: 'enter_agent', EventKey: mark },
    { Event: 'LOCATION', Latitude: 38.28, Longitude: 109.73, Precision: 65, AppType: mark },
    { Event: 'click', EventKey: mark },
    { Event: 'view', EventKey: `https://example.cn/${mark}` },
    { Event: 'view_miniprogram', EventKey: mark },
    { Event: 'scancode_push', EventKey: mark, ...scan },
    { Event: 'scancode_waitmsg', EventKey: mark, ...scan },
    { Event: 'pic_sysphoto', EventKey: mark, ...pictures },
    { Event: 'pic_photo_or_album', EventKey: mark, ...pictures },
    { Event: 'pic_weixin', EventKey: mark, ...pictures },
    {
      Event: 'location_select',
      EventKey: mark,
      SendLocationInfo: { Location_X: 38.2, Location_Y: 109.7, Scale: 16, Label: mark, Poiname: '' },
    },
    { Event: 'template_card_event', ...card },
    { Event: 'template_card_menu_event', ...card },
  ]
  const event = luck.pick(events)
  return {
    name: `event:${event.Event}`,
    fields: { ...head(input), MsgType: 'event', ...event, AgentID: 1 },
  }
}

function corpEvent(luck: Chance, input: SampleInput): Sample {
  const { mark } = input
  // a few chats only: each one that is heard of is read again
  const chat = { Event: 'change_external_chat', ChatId: `wrChaos${luck.between(1, 20)}` }
  const versions = { LastMemVer: mark, CurMemVer: `${mark}n` }
  const customer = {
    Event: 'change_external_contact',
    UserID: 'chaos-staff',
    ExternalUserID: `wm${mark}`,
    State: mark,
  }
  const tag = { Event: 'change_external_tag', Id: mark, TagType: 'tag', StrategyId: 1 }
  const contact = { Event: 'change_contact', UserID: mark, Department: '1,2,3' }
  const events: XmlFields[] = [
    { ...chat, ChangeType: 'create', Note: mark },
    {
      ...chat,
      ChangeType: 'update',
      UpdateDetail: 'add_member',
      JoinScene: 3,
      MemChangeCnt: 2,
      MemChangeList: { Item: [`wm${mark}`, `wo${mark}`] },
      ...versions,
    },
    {
      ...chat,
      ChangeType: 'update',
      UpdateDetail: 'del_member',
      QuitScene: 1,
      MemChangeCnt: '1',
      MemChangeList: `wm${mark},wo${mark}`,
      ...versions,
    },
    { ...chat, ChangeType: 'update', UpdateDetail: 'change_owner', ...versions },
    { ...chat, ChangeType: 'update', UpdateDetail: 'change_name', ...versions },
    { ...chat, ChangeType: 'update', UpdateDetail: 'change_notice', ...versions },
    { ...chat, ChangeType: 'dismiss', Note: mark },
    { ...customer, ChangeType: 'add_external_contact' },
    { ...customer, ChangeType: 'add_half_external_contact' },
    { ...customer, ChangeType: 'edit_external_contact' },
    { ...customer, ChangeType: 'del_external_contact', Source: 'DELETE_BY_TRANSFER' },
    { ...customer, ChangeType: 'del_follow_user' },
    { ...customer, ChangeType: 'transfer_fail', FailReason: 'customer_refused' },
    { ...customer, ChangeType: 'msg_audit_approved' },
    { ...tag, ChangeType: 'create' },
    { ...tag, ChangeType: 'update', TagType: 'tag_group' },
    { ...tag, ChangeType: 'delete' },
    { ...tag, ChangeType: 'shuffle' },
    { ...contact, ChangeType: 'create_user' },
    { ...contact, ChangeType: 'update_user', NewUserID: `${mark}n` },
    { ...contact, ChangeType: 'delete_user' },
    { Event: 'change_contact', ChangeType: 'create_party', Id: mark, ParentId: 1, Order: 1 },
    { Event: 'change_contact', ChangeType: 'delete_party', Id: mark },
    { Event: 'change_contact', ChangeType: 'update_tag', TagId: mark, AddUserItems: 'a,b' },
    {
      Event: 'batch_job_result',
      BatchJob: { JobId: mark, JobType: 'sync_user', ErrCode: 0, ErrMsg: 'ok' },
    },
    { Event: 'upload_media_job_finish', JobId: mark },
    { Event: 'open_approval_change', ApprovalInfo: { ThirdNo: mark, OpenSpStatus: 1 } },
    { Event: 'share_chain_change', ChainId: mark },
    { Event: 'change_chain', ChainId: mark },
    { Event: 'inactive_alert', EffectTime: input.seconds, Note: mark },
    { Event: 'low_active', Note: mark },
    { Event: 'not_yet_invented', Note: mark },
  ]
  const event = luck.pick(events)
  return {
    name: `event:${event.Event}/${event.ChangeType ?? ''}`,
    fields: { ...head({ ...input, sender: 'sys' }), MsgType: 'event', ...event },
  }
}

function thirdParty({ seconds, mark }: SampleInput): Sample {
  return {
    name: 'third party',
    fields: {
      SuiteId: 'wwsuite',
      AuthCorpId: recipients.wecom,
      InfoType: 'change_external_contact',
      TimeStamp: seconds,
      ChangeType: 'add_external_contact',
      UserID: 'chaos-staff',
      ExternalUserID: `wm${mark}`,
    },
  }
}

function head({ sender, seconds }: SampleInput): XmlFields {
  return { ToUserName: recipients.wecom, FromUserName: sender, CreateTime: seconds }
}
