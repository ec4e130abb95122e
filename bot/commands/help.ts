import { isFor } from '../audience.ts'
import type { Command } from '../command.ts'
import type { Heard } from '../context.ts'

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
      return [...mine.map(command => `· ${command.usage}`), '举例请发：帮助 通知', ...lacks].join('\n')
    },
  }
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
