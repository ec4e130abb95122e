import type { Command } from '../command.ts'
import { advance } from '../conversation.ts'
import { eraseConversation } from '../conversations/erase.ts'

export const eraseCommand: Command = {
  name: '删除我的信息',
  aliases: ['注销'],
  usage: '删除我的信息',
  example: '删除我的信息',
  audience: 'known',
  run: ctx => advance(ctx, eraseConversation, {}),
}
