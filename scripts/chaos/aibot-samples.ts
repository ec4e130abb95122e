import type { Chance } from '../demo/chance.ts'
import type { XmlFields } from '../simulator/xml.ts'
import { recipients } from './doors.ts'
import type { Sample, SampleInput } from './samples.ts'

/**
 * A callback of the chat robot (智能机器人); these are JSON.
 * @see https://developer.work.weixin.qq.com/document/path/100719
 */
export function aibotSample(luck: Chance, input: SampleInput): Sample {
  return luck.next() < 0.75 ? message(luck, input) : event(luck, input)
}

function message(luck: Chance, input: SampleInput): Sample {
  const { mark, id, sender } = input
  const isGroup = luck.next() < 0.5
  const contents: XmlFields[] = [
    { msgtype: 'text', text: { content: `@群阵 ${luck.pick(['帮助', '我的群', '你好'])} ${mark}` } },
    { msgtype: 'image', image: { url: `https://ww-aibot-img.example.cn/${mark}` } },
    { msgtype: 'voice', voice: { content: `帮助 ${mark}` } },
    { msgtype: 'file', file: { url: `https://ww-aibot-img.example.cn/${mark}` } },
    { msgtype: 'video', video: { url: `https://ww-aibot-img.example.cn/${mark}` } },
    {
      msgtype: 'mixed',
      mixed: {
        msg_item: [
          { msgtype: 'text', text: { content: `@群阵 ${mark}` } },
          { msgtype: 'image', image: { url: 'https://ww-aibot-img.example.cn/a' } },
        ],
      },
    },
    {
      msgtype: 'text',
      text: { content: `@群阵 这是什么 ${mark}` },
      quote: { msgtype: 'text', text: { content: '引用的话' } },
    },
  ]
  const content = luck.pick(contents)
  return {
    name: `message:${content.msgtype}`,
    fields: {
      msgid: id,
      aibotid: recipients.aibot,
      ...(isGroup ? { chatid: 'wrChaosRobot', chattype: 'group' } : { chattype: 'single' }),
      from: { userid: sender },
      response_url: `https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=${mark}`,
      ...content,
    },
  }
}

function event(luck: Chance, { id, mark, sender, seconds }: SampleInput): Sample {
  const events: XmlFields[] = [
    { eventtype: 'enter_chat' },
    {
      eventtype: 'template_card_event',
      template_card_event: {
        card_type: 'vote_interaction',
        event_key: mark,
        task_id: mark,
        selected_items: {
          selected_item: [{ question_key: 'q', option_ids: { option_id: ['a', 'b'] } }],
        },
      },
    },
    {
      eventtype: 'feedback_event',
      feedback_event: { id: mark, type: 2, content: mark, inaccurate_reason_list: [2, 4] },
    },
    { eventtype: 'not_yet_invented', not_yet_invented: { note: mark } },
  ]
  const what = luck.pick(events)
  return {
    name: `event:${what.eventtype}`,
    fields: {
      msgid: id,
      create_time: seconds,
      aibotid: recipients.aibot,
      chattype: 'single',
      from: { userid: sender },
      msgtype: 'event',
      event: what,
    },
  }
}
