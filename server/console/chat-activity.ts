import type { ChatActivity } from '../../db/queries/owner-chat-days.ts'
import { type Html, html } from '../http/html.ts'
import { figure } from './parts.ts'

/**
 * What WeCom says of an owner's customer groups (群聊活跃), beside the records and never among them: it counts by owner, with
 * every word of the chat. @param activity null: the platform has told nothing, so nothing is shown
 * @param whose 群主的, or of how many owners
 */
export function chatActivityPart(activity: ChatActivity | null, title: string): Html | string {
  if (!activity) return ''
  return html`<section class="card chat-activity"><h2>群聊活跃</h2>
<div class="figures">${figure(activity.messages, '条群聊消息')}${figure(activity.activePerDay, '人平均每天发言')}${figure(activity.members, '个群成员')}</div>
<p class="soft">${title}。企业微信按群主、按天统计，客户群里所有人的聊天都算在内，不是登记的发送条数，不计入报表；现有 ${activity.days} 天的数据${activity.owners > 1 ? `，${activity.owners} 位群主` : ''}。</p></section>`
}
