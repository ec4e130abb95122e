import type { LimitName } from '../types.ts'

/** What each limit is called on the phone page. */
export const LIMITS: Record<LimitName, string> = {
  tokenExpiry: 'access_token 两小时过期',
  callFrequency: '接口调用频率',
  contentSize: '内容长度',
  memberFrequency: '每个成员每分钟 30 条、每小时 1000 条（超出静默丢弃）',
  appDailyQuota: '应用每日发送人次',
  webhookFrequency: '群机器人每分钟 20 条',
  appchatFrequency: '应用群聊发送频率',
  massQuota: '群发每月条数',
  massRemind: '群发提醒次数',
  transferQuota: '客户群继承次数',
  ticketFrequency: 'jsapi_ticket 获取频率',
  pictureQuota: '上传图片张数',
  groupCapacity: '群人数上限',
  welcomeDeadline: '欢迎语 20 秒期限',
  serviceWindow: '公众号客服消息窗口（48 小时、5 条）',
  templateQuota: '模板消息每日上限',
  officialQuota: '公众号接口每日额度',
  aibotInteractions: '智能机器人同时 3 条未完成',
  payAmounts: '微信支付单笔和每日金额',
  payFrequency: '微信支付接口频率',
}
