import { loadSender, markUnreachable } from '../db/queries/identities.ts'
import { requeueWaiting } from '../db/queries/notices.ts'
import type { Update } from '../server/channels/channel.ts'
import { textBytes } from '../server/channels/text.ts'
import type { Actor } from '../server/domain/actor.ts'
import { noteGroupEvent } from '../server/domain/groups/note-event.ts'
import { makePage } from '../server/domain/pages/make-page.ts'
import type { DomainRuntime } from '../server/runtime.ts'
import { isFor } from './audience.ts'
import type { Command } from './command.ts'
import { type MatchedCommand, matchCommand, nearestCommands, plainWords } from './command.ts'
import { acknowledgeCommand } from './commands/acknowledge.ts'
import { activityCommand } from './commands/activity.ts'
import { approveCommand, rejectCommand, waitingCommand } from './commands/audit.ts'
import { bindCommand, codeIn, issueCodeCommand } from './commands/bind.ts'
import {
  changeOwnerCommand,
  claimCommand,
  createGroupCommand,
  dissolveCommand,
  joinCodeCommand,
  myGroupsCommand,
} from './commands/groups.ts'
import { createHelpCommand, welcome } from './commands/help.ts'
import { joinCommand, joinScene } from './commands/join.ts'
import { noticeCommand } from './commands/notice.ts'
import { progressCommand } from './commands/progress.ts'
import { reconcileCommand, taskDoneCommand, tasksCommand } from './commands/reconcile.ts'
import { correctCommand, offerToRecord, recordCommand } from './commands/record.ts'
import { relayedCommand } from './commands/relayed.ts'
import { factsCommand, monthlyReportCommand, statisticsCommand } from './commands/reports.ts'
import { type Context, type KnownContext, normaliseText } from './context.ts'
import { type Conversation, leave, openField, resume } from './conversation.ts'
import { activityConversation } from './conversations/activity.ts'
import { joinConversation } from './conversations/join.ts'
import { noticeConversation } from './conversations/notice.ts'
import { recordConversation } from './conversations/record.ts'
import { registerGroupConversation } from './conversations/register-group.ts'

const helpCommand = createHelpCommand(() => commands)

/** Everything the bot understands, in the order of 帮助. */
export const commands: readonly Command[] = [
  helpCommand,
  bindCommand,
  joinCommand,
  myGroupsCommand,
  relayedCommand,
  acknowledgeCommand,
  waitingCommand,
  approveCommand,
  rejectCommand,
  reconcileCommand,
  tasksCommand,
  taskDoneCommand,
  recordCommand,
  correctCommand,
  activityCommand,
  statisticsCommand,
  createGroupCommand,
  claimCommand,
  joinCodeCommand,
  changeOwnerCommand,
  dissolveCommand,
  noticeCommand,
  progressCommand,
  monthlyReportCommand,
  factsCommand,
  issueCodeCommand,
]

const conversations = [
  joinConversation,
  registerGroupConversation,
  noticeConversation,
  recordConversation,
  activityConversation,
]

export interface Bot {
  /**
   * Handles one update within the transaction of `rt.db` and returns what to answer; null: nothing.
   * @throws DomainError when a rule said no: the caller undoes the transaction and answers with its message
   */
  handle(rt: DomainRuntime, update: Update, updateId: number): Promise<string | null>
}

export interface BotOptions {
  maxReplyBytes: number
  /** What the Official Account in use cannot do. */
  officialAccountLacks: string[]
}

export function createBot({ maxReplyBytes, officialAccountLacks }: BotOptions): Bot {
  return {
    async handle(rt, update, updateId) {
      if (update.kind === 'group') {
        await noteGroupEvent(rt, update)
        return null
      }
      if (update.kind === 'unfollowed') {
        await markUnreachable(rt.db, update.channel, update.address)
        return null
      }
      if (update.kind === 'unknown' || update.address === 'sys') return null

      const sender = await loadSender(rt.db, update.channel, update.address, rt.clock.now())
      if (sender.hasWaiting) await requeueWaiting(rt.db, sender, rt.clock.now())
      const actor: Actor = {
        identityId: sender.identityId,
        channel: update.channel,
        address: update.address,
        person: sender.personId === null ? null : { id: sender.personId, name: sender.personName ?? '' },
        roles: sender.roles,
        ownsGroups: sender.ownsGroups,
        boundBy: sender.boundBy,
      }
      const typed =
        update.kind === 'text' || update.kind === 'media'
          ? update.text
          : update.kind === 'tapped'
            ? update.key
            : ''
      const ctx: Context = {
        rt,
        update,
        updateId,
        actor,
        text: normaliseText(typed),
        lacks: update.channel === 'official-account' ? officialAccountLacks : [],
        maxReplyBytes,
        dialogue: sender.conversation,
      }
      const reply =
        update.kind === 'followed' ? await greet(ctx, update.scene) : await answer(ctx, sender.conversation)
      return textBytes(reply) <= maxReplyBytes ? reply : asLink(ctx, reply)
    },
  }
}

async function greet(ctx: Context, scene: string | null): Promise<string> {
  const groupId = scene === null ? null : joinScene(scene)
  if (groupId === null) return welcome(ctx)
  return joinCommand.audience === 'anyone' ? joinCommand.run(ctx, String(groupId)) : welcome(ctx)
}

interface StoredDialogue {
  name: string
  version: number
  step: string
  answers: Record<string, string>
}

/** A running dialogue first, then commands, then a guess at what was meant: never silence. */
async function answer(ctx: Context, stored: StoredDialogue | null): Promise<string> {
  if (/^(取消|退出|算了|不办了|作废)$/.test(plainWords(ctx.text))) {
    await leave(ctx)
    return stored ? '好的，已取消。' : '没有正在办理的事。发送“帮助”看看能做什么。'
  }
  const matched = ctx.update.kind === 'media' ? null : matchCommand(commands, ctx.text)
  const conversation = stored && conversations.find(each => each.name === stored.name)
  if (stored && conversation) {
    const reply = await answerInDialogue(ctx, conversation, stored, matched)
    if (reply !== null) return reply
    await leave(ctx)
  }
  if (matched) return runCommand(ctx, matched.command, matched.input)
  // the officer's whole message pasted, or the code alone: what else would somebody new mean by it
  const isCode = !ctx.actor.person && /绑定码|^(?=.*[a-z])[\da-z\s-]{8,11}$/i.test(ctx.text)
  const code = isCode ? codeIn(ctx.text) : null
  if (code !== null && bindCommand.audience === 'anyone') return bindCommand.run(ctx, code)
  return (await offerToRecord(ctx)) ?? notUnderstood(ctx)
}

/**
 * Nobody is trapped in a dialogue: 转, 收 or 同意 3 in the middle of 建群 is done, and 建群 goes on behind it. Where the
 * answer is a text of its own (the body of a notice) only a bare command counts; elsewhere every command does.
 * @returns null when the dialogue is over without an answer: of an older form, or an offer that nobody took
 */
async function answerInDialogue(
  ctx: Context,
  conversation: Conversation,
  stored: StoredDialogue,
  matched: MatchedCommand | null,
): Promise<string | null> {
  const field = openField(conversation, stored)
  if (!field) return null
  const { title } = conversation
  if (ctx.update.kind === 'media' && ctx.text === '')
    return `图片、语音、文件我还看不懂，请用文字回复。\n（“${title}”还没有办完；不办了请回复：取消）`
  const isAnswer = field.isAnswer?.(ctx.text) ?? false
  if (matched && !isAnswer && (matched.isBare || !(field.isText || matched.isGlued))) {
    if (conversation.isOffer) return null
    return aside(ctx, title, matched)
  }
  const outcome = await resume(ctx, conversation, field, stored.answers)
  if ('reply' in outcome) return outcome.reply
  return matched ? aside(ctx, title, matched) : `${outcome.error}\n（不办了请回复：取消）`
}

/** Runs a command in the middle of a dialogue, which stays open unless the command begins one of its own. */
async function aside(ctx: Context, title: string, { command, input }: MatchedCommand): Promise<string> {
  const before = ctx.dialogue
  const reply = await runCommand(ctx, command, input)
  return before !== null && ctx.dialogue === before
    ? `${reply}\n——\n“${title}”还没有办完，请接着回复；不办了请回复：取消`
    : reply
}

async function runCommand(ctx: Context, command: Command, input: string): Promise<string> {
  if (command.audience === 'anyone') return command.run(ctx, input)
  if (!isKnown(ctx))
    return `“${command.name}”要先绑定账号：请向上级组织要一个绑定码，然后发送“绑定 绑定码”。\n要加入群，请发送“入群 群号”。`
  if (!isFor(ctx, command.audience))
    return command.audience === 'manager'
      ? `“${command.name}”由负责组织工作的同志使用，您名下没有这样的职务。如有变动，请由上级更新名册。`
      : `“${command.name}”由群主和组织工作人员使用。您还没有登记过群，可发送“建群”。`
  return command.run(ctx, input)
}

function isKnown(ctx: Context): ctx is KnownContext {
  return ctx.actor.person !== null
}

function notUnderstood(ctx: Context): string {
  if (/^(你好|您好|在吗|在不在|hi|hello)/i.test(ctx.text)) return welcome(ctx)
  if (/^(谢谢|多谢|辛苦|好的?$|嗯+$|哦+$|ok$|明白|了解)/i.test(plainWords(ctx.text)))
    return ctx.actor.ownsGroups
      ? '好的。有通知要转发时：已看到请回“收”，转发到群后请回“转”。'
      : '好的，有事随时发送“帮助”。'
  if (ctx.update.kind === 'media' && ctx.text === '')
    return '收到。图片、语音、文件我还看不懂，请用文字说明要办什么，或发送“帮助”。'
  const near = nearestCommands(
    commands.filter(command => isFor(ctx, command.audience)),
    ctx.text,
  )
  if (near.length === 0)
    return `没有明白您的意思。${ctx.actor.person ? '' : '要加入群请发送“入群 群号”；'}发送“帮助”看看能做什么。`
  return [
    '没有明白您的意思，您是不是想：',
    ...near.map(command => `· ${command.usage}（如：${command.example}）`),
    '发送“帮助”看全部。',
  ].join('\n')
}

async function asLink(ctx: Context, reply: string): Promise<string> {
  const [title = '结果'] = reply.split('\n')
  const link = await makePage(ctx.rt, { personId: ctx.actor.person?.id ?? null }, title, reply)
  return `${[...title].slice(0, 60).join('')}\n内容较长，请打开：${link}`
}
