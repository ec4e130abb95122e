import { isFor } from '../audience.ts'
import type { Command } from '../command.ts'
import type { Heard } from '../context.ts'

/** More commands than this are shown by their names, so that the answer stays one message and nobody reads a manual. */
const MOST_IN_FULL = 12

/** What people want, and the commands for it, in the order of a day. */
export const topics: readonly [topic: string, commands: readonly string[]][] = [
  ['通知', ['通知', '草稿', '批', '退', '更正', '撤回', '日程', '回执', '收', '转', '出处', '答']],
  ['有人有危险', ['有危险', '没有危险', '到', '电话', '属实', '误报', '平安']],
  ['上报', ['上报', '我的上报', '补', '升', '结', '复', '并', '是误报', '不是误报']],
  ['入群', ['入群', '待审', '同意', '拒绝', '撤销']],
  ['成员', ['核对', '签到', '任务', '完成', '交接', '交好', '联系点', '走访', '联系', '我的志愿者']],
  ['群', ['我的群', '建群', '认领', '入群码', '换群主', '解散']],
  [
    '登记和报表',
    [
      '登记',
      '改',
      '今天发了',
      '每日提问',
      '统计',
      '推荐',
      '发',
      '转备选',
      '双月报告',
      '报表',
      '报送',
      '计划',
      '框架图',
      '月报',
      '填报',
      '确认',
      '签报',
      '月度',
    ],
  ],
  ['活动', ['活动', '活动预告', '报名', '取消报名', '到场', '名单', '办完', '没办']],
  ['补贴', ['补贴']],
  ['账号', ['绑定', '发码', '网页', '删除我的信息', '帮助']],
]

/** 帮助: what this person can do. @param all read when it runs, for the list of commands holds this one too */
export function createHelpCommand(all: () => readonly Command[]): Command {
  return {
    name: '帮助',
    aliases: ['help', '菜单', '?', '？', '怎么用'],
    usage: '帮助：能做什么',
    example: '帮助',
    audience: 'anyone',
    isPublic: true,
    say(heard, input) {
      const mine = all().filter(command => isFor(heard, command.audience))
      const one = mine.find(command => command.name === input || command.aliases.includes(input))
      if (one) return `${one.usage}\n例：${one.example}`
      const lacks = heard.lacks.map(line => `※ ${line}`)
      const shown = mine.length <= MOST_IN_FULL ? mine.map(command => `· ${command.usage}`) : byTopic(mine)
      return [...shown, '怎么用、举例，请发：帮助 通知', ...lacks].join('\n')
    },
  }
}

function byTopic(mine: readonly Command[]): string[] {
  const names = new Set(mine.map(command => command.name))
  return topics
    .map(([topic, commands]) => [topic, commands.filter(name => names.has(name))] as const)
    .filter(([, own]) => own.length > 0)
    .map(([topic, own]) => `【${topic}】${own.join('　')}`)
}

/** The first words to somebody who follows the account or opens the app. */
export function welcome(heard: Heard): string {
  if (heard.actor.person) return `${heard.actor.person.name}，您好！发送“帮助”看看能做什么。`
  return [
    '您好，这里是群阵，帮各级团组织管理微信群。',
    '· 想加入群：发送“入群 群号”',
    '· 组织工作人员、群主：向上级要绑定码，发送“绑定 绑定码”',
    '· 其他：发送“帮助”',
  ].join('\n')
}
