import { chineseMoment } from '../../server/clock.ts'
import type { Status } from '../../server/status/collect.ts'
import { channelNames, kindNames, nameIn, purposeNames, statusNames } from '../../server/status/names.ts'

/** The status as an operator reads it in a terminal. */
export function statusWords(status: Status): string {
  const { officialAccount: reach } = status
  return [
    `群阵运行情况 ${chineseMoment(status.at)}`,
    section(
      '未关闭的告警（看完处理好后 --close 编号）',
      status.alarms.map(
        alarm =>
          `#${alarm.id} ${alarm.cause} ×${alarm.times}，${chineseMoment(alarm.firstAt)} 至 ${chineseMoment(alarm.lastAt)}\n    ${alarm.words}`,
      ),
    ),
    section(
      '搁置的回调（修好后 --retry 编号，或 --retry updates 全部）',
      status.updatesSetAside.map(
        update =>
          `#${update.id} ${nameIn(channelNames, update.channel)} ${update.kind}，${chineseMoment(update.receivedAt)}：${update.error}`,
      ),
    ),
    section(
      '不认识的消息和事件（近 7 天）',
      status.unknownUpdates.map(({ day, name, count }) => `${day} ${name} ×${count}`),
    ),
    section(
      '没发完的消息（平台的设置修好后 --retry messages）',
      status.messages.map(row => {
        const next =
          row.status === 'pending' || row.status === 'retrying' ? `，最早 ${chineseMoment(row.nextAt)}` : ''
        return `${statusWordsOf(row.status)} ${nameIn(kindNames, row.kind)}·${nameIn(purposeNames, row.purpose)} ${row.count} 条${next}`
      }),
    ),
    section('公众号还能到谁（已绑定的）', [
      `现在可直接发消息：${reach.byMessage} 人，共还能发 ${reach.messagesLeft} 条`,
      `只能先用模板消息叫：${reach.byTemplateOnly} 人`,
      `到不了（已取消关注）：${reach.notAtAll} 人`,
    ]),
    section(
      '额度已用',
      status.quotas.map(({ words, per, used, limit }) => {
        const period = per === 'day' ? '今天' : '本月用得最多的一个群'
        return `${words}：${period} ${used}${limit === null ? '' : ` / ${limit}`}`
      }),
    ),
    section(
      '平台没有成功应答的调用（24 小时内）',
      status.refusedCalls.map(
        ({ channel, call, errcode, times, lastAt, words }) =>
          `${nameIn(channelNames, channel)} ${call} ${errcode ?? '没有应答'} ×${times}，最近 ${chineseMoment(lastAt)}${words ? `\n    ${words}` : ''}`,
      ),
    ),
  ].join('\n\n')
}

function section(title: string, lines: string[]): string {
  return [`【${title}】`, ...(lines.length > 0 ? lines : ['无']).map(line => `  ${line}`)].join('\n')
}

/** What has failed is counted for a day only. */
function statusWordsOf(status: string): string {
  const isEnded = status === 'failed' || status === 'unknown'
  return `${nameIn(statusNames, status)}${isEnded ? '（24 小时内）' : ''}`
}
