import { requeueWaiting } from '../db/queries/notices.ts'
import { loadSender, type SenderRow } from '../db/queries/senders.ts'
import type { Update } from '../server/channels/channel.ts'
import { textBytes } from '../server/channels/text.ts'
import { handleEvent } from '../server/domain/events/handle-event.ts'
import { StoppedText } from '../server/domain/messages/false-alarms.ts'
import { makePage } from '../server/domain/pages/make-page.ts'
import { DomainError } from '../server/errors.ts'
import { type DomainRuntime, inTransaction } from '../server/runtime.ts'
import { accountOf, openedBy } from '../server/sender.ts'
import type { Templates } from '../server/templates.ts'
import { isFor } from './audience.ts'
import type { Command } from './command.ts'
import { type MatchedCommand, matchCommand, nearestCommands, plainWords } from './command.ts'
import { acknowledgeCommand } from './commands/acknowledge.ts'
import {
  activityCommand,
  announceCommand,
  attendanceCommand,
  checkInCodeIn,
  checkInCommand,
  heldCommand,
  notHeldCommand,
  signUpCommand,
  withdrawSignUpCommand,
} from './commands/activity.ts'
import { answerCommand } from './commands/answer.ts'
import { approveCommand, rejectCommand, undoCommand, waitingCommand } from './commands/audit.ts'
import { bindCommand, codeIn, issueCodeCommand } from './commands/bind.ts'
import { forwardedCommand, handOutCommand, recommendCommand } from './commands/coach.ts'
import { contactCommand, visitCommand } from './commands/contacts.ts'
import { correctNoticeCommand, withdrawNoticeCommand } from './commands/correct.ts'
import {
  answerQuestion,
  callsForHelp,
  dangerAnswerCommands,
  dangerCommands,
  help,
  passOn,
} from './commands/danger.ts'
import { diagramCommand } from './commands/diagram.ts'
import { draftsCommand, passDraftCommand, returnDraftCommand } from './commands/drafts.ts'
import { dutyReportCommand } from './commands/duty-report.ts'
import { eraseCommand } from './commands/erase.ts'
import { falseAlarmCommands } from './commands/false-alarm.ts'
import { formCommand, planCommand, sendFormCommand } from './commands/forms.ts'
import {
  changeOwnerCommand,
  claimCommand,
  createGroupCommand,
  dissolveCommand,
  joinCodeCommand,
  myGroupsCommand,
} from './commands/groups.ts'
import { handedOverCommand, handOverCommand } from './commands/hand-over.ts'
import { createHelpCommand, welcome } from './commands/help.ts'
import { joinCommand, joinScene } from './commands/join.ts'
import { confirmMonthCommand, monthProgressCommand, signMonthCommand } from './commands/month.ts'
import { noticeCommand } from './commands/notice.ts'
import { isCopyToTrace, originCommand, traceCopy } from './commands/origin.ts'
import { askingCommand, postedCommand } from './commands/posted.ts'
import { progressCommand } from './commands/progress.ts'
import { reconcileCommand, rollCallCommand, taskDoneCommand, tasksCommand } from './commands/reconcile.ts'
import {
  correctCommand,
  isPicture,
  isRecordCorrection,
  isToRecord,
  namesCount,
  offerToRecord,
  recordCommand,
  takePicture,
} from './commands/record.ts'
import { relayedCommand } from './commands/relayed.ts'
import { factsCommand, monthlyReportCommand, statisticsCommand } from './commands/reports.ts'
import { scheduleCommand } from './commands/schedule.ts'
import {
  addToSlipCommand,
  answerSlipCommand,
  closeSlipCommand,
  mergeSlipsCommand,
  mySlipsCommand,
  offerSlip,
  raiseSlipCommand,
  slipCommand,
  takeSlipPicture,
  wantsToBeHeard,
} from './commands/slips.ts'
import { subsidyCommand } from './commands/subsidy.ts'
import { myVolunteersCommand, touchCommand } from './commands/volunteers.ts'
import { webPageCommand } from './commands/web-page.ts'
import { type Context, type Heard, type KnownContext, normaliseText } from './context.ts'
import { type Conversation, leave, openField, resume } from './conversation.ts'
import { activityConversation, announceConversation, namesKind } from './conversations/activity.ts'
import { correctNoticeConversation, withdrawNoticeConversation } from './conversations/correct.ts'
import { dutyReportConversation } from './conversations/duty-report.ts'
import { eraseConversation } from './conversations/erase.ts'
import { falseAlarmConversation, offerClaim } from './conversations/false-alarm.ts'
import { handedOutConversation } from './conversations/handed-out.ts'
import { joinConversation } from './conversations/join.ts'
import { noticeConversation } from './conversations/notice.ts'
import { postedConversation } from './conversations/posted.ts'
import { recordConversation } from './conversations/record.ts'
import { registerGroupConversation } from './conversations/register-group.ts'
import { holdPicture, offeredSlipConversation, slipConversation } from './conversations/slip.ts'
import { unitPlanConversation } from './conversations/unit-plan.ts'
import { visitConversation } from './conversations/visit.ts'

const helpCommand = createHelpCommand(() => commands)

/** Everything the bot understands, in the order of 帮助. */
export const commands: readonly Command[] = [
  helpCommand,
  bindCommand,
  joinCommand,
  myGroupsCommand,
  webPageCommand,
  eraseCommand,
  ...dangerAnswerCommands,
  ...dangerCommands,
  ...falseAlarmCommands,
  slipCommand,
  mySlipsCommand,
  addToSlipCommand,
  raiseSlipCommand,
  closeSlipCommand,
  answerSlipCommand,
  mergeSlipsCommand,
  relayedCommand,
  acknowledgeCommand,
  answerCommand,
  waitingCommand,
  approveCommand,
  rejectCommand,
  undoCommand,
  reconcileCommand,
  rollCallCommand,
  tasksCommand,
  taskDoneCommand,
  recordCommand,
  correctCommand,
  postedCommand,
  askingCommand,
  activityCommand,
  announceCommand,
  signUpCommand,
  withdrawSignUpCommand,
  checkInCommand,
  attendanceCommand,
  heldCommand,
  notHeldCommand,
  statisticsCommand,
  recommendCommand,
  handOutCommand,
  forwardedCommand,
  createGroupCommand,
  claimCommand,
  joinCodeCommand,
  changeOwnerCommand,
  handOverCommand,
  handedOverCommand,
  contactCommand,
  visitCommand,
  touchCommand,
  myVolunteersCommand,
  dissolveCommand,
  noticeCommand,
  draftsCommand,
  passDraftCommand,
  returnDraftCommand,
  correctNoticeCommand,
  withdrawNoticeCommand,
  scheduleCommand,
  progressCommand,
  originCommand,
  dutyReportCommand,
  formCommand,
  sendFormCommand,
  planCommand,
  diagramCommand,
  monthlyReportCommand,
  factsCommand,
  confirmMonthCommand,
  signMonthCommand,
  monthProgressCommand,
  subsidyCommand,
  issueCodeCommand,
]

const conversations = [
  joinConversation,
  eraseConversation,
  registerGroupConversation,
  noticeConversation,
  correctNoticeConversation,
  withdrawNoticeConversation,
  recordConversation,
  postedConversation,
  activityConversation,
  announceConversation,
  visitConversation,
  handedOutConversation,
  slipConversation,
  offeredSlipConversation,
  dutyReportConversation,
  unitPlanConversation,
  falseAlarmConversation,
]

/** Commands whose text is meant for others, or for the files: an exercise that a notice speaks of is no call for help. */
const textsForOthers: ReadonlySet<Command> = new Set([
  noticeCommand,
  correctNoticeCommand,
  withdrawNoticeCommand,
  passDraftCommand,
  returnDraftCommand,
  answerSlipCommand,
  approveCommand,
  rejectCommand,
  recordCommand,
  correctCommand,
  activityCommand,
  announceCommand,
  reconcileCommand,
  visitCommand,
  originCommand,
  dutyReportCommand,
  issueCodeCommand,
])
/** Of these only a line that says what they ask for: 活动现场有3人晕倒了 is a call. */
const readAsLines: ReadonlyMap<Command, (heard: Heard, input: string) => boolean> = new Map([
  [recordCommand, (_heard: Heard, input: string) => namesCount(input)],
  [activityCommand, namesKind],
  [correctCommand, (_heard: Heard, input: string) => isRecordCorrection(input)],
  [approveCommand, (_heard: Heard, input: string) => /^\D?\d/.test(input)],
  [visitCommand, (_heard: Heard, input: string) => /\d|[今昨前]天/.test(input)],
])
/** These call help themselves, and go on. */
const callingThemselves: ReadonlySet<Command> = new Set([slipCommand, addToSlipCommand])
/** The same of dialogues, at the questions that are answered with a text. */
const dialoguesForOthers: ReadonlySet<Conversation> = new Set([
  noticeConversation,
  correctNoticeConversation,
  withdrawNoticeConversation,
  recordConversation,
  activityConversation,
  announceConversation,
  visitConversation,
  dutyReportConversation,
])
const slipDialogues: ReadonlySet<Conversation> = new Set([slipConversation, offeredSlipConversation])
/** The field of an offer that nobody has taken yet. */
const OFFERED = 'offered'
/** Shorter answers to a question of a dialogue (确认, 1, 匿名) are nothing to pass on to those who were called. */
const MIN_NEWS = 4

export interface Bot {
  /**
   * The answer to an update that needs neither rows nor a transaction: words that nobody acts on, a word of explanation,
   * a command that is not for this person. undefined: there is something to do, so `handle` must have it.
   * @param sender null for an account never seen
   */
  answerAtOnce(update: Update, sender: SenderRow | null): { reply: string | null } | undefined
  /**
   * Handles one update within the transaction of `rt.db` and returns what to answer; null: nothing.
   * @throws DomainError when a rule said no: the caller undoes the transaction and answers with its message
   */
  handle(rt: DomainRuntime, update: Update, updateId: number): Promise<string | null>
  /** What to answer when a rule has said no, in a transaction of its own: what was done before is undone. */
  afterRefusal(rt: DomainRuntime, update: Update, updateId: number, error: DomainError): Promise<string>
}

export interface BotOptions {
  templates: Templates
  maxReplyBytes: number
  /** What each account in use cannot do, in words. */
  lacks: Record<Update['channel'], string[]>
}

/** Events that are only kept: nothing follows from them. */
const inert: ReadonlySet<Update['kind']> = new Set([
  'unknown',
  'opened',
  'scanned',
  'pictured',
  'tag',
  'feedback',
  'subscription',
  'publish_result',
])

export function createBot({ templates, maxReplyBytes, lacks }: BotOptions): Bot {
  const hear = (update: Update, sender: SenderRow | null): Heard => ({
    templates,
    update,
    actor: {
      channel: update.addressSpace,
      address: update.address,
      person:
        sender === null || sender.personId === null
          ? null
          : { id: sender.personId, name: sender.personName ?? '' },
      roles: sender?.roles ?? [],
      ownsGroups: sender?.ownsGroups ?? false,
      boundBy: sender?.boundBy ?? null,
    },
    text: normaliseText(typedIn(update)),
    lacks: lacks[update.channel],
  })
  const contextFor = (rt: DomainRuntime, update: Update, updateId: number, sender: SenderRow): Context => {
    const heard = hear(update, sender)
    return {
      ...heard,
      rt,
      updateId,
      actor: { ...heard.actor, identityId: sender.identityId },
      maxReplyBytes,
      dialogue: sender.conversation,
    }
  }
  return {
    answerAtOnce(update, sender) {
      if (inert.has(update.kind)) return { reply: null }
      // somebody who comes back is more than greeted
      if (!isSaid(update) || (update.kind === 'followed' && sender)) return undefined
      // somebody who opens the app is greeted once, not every time
      if (update.kind === 'entered' && update.channel === 'wecom' && sender) return { reply: null }
      if (sender?.hasWaiting || sender?.hasCalled || sender?.conversation) return undefined
      const decision = decide(hear(update, sender))
      return 'reply' in decision && textBytes(decision.reply) <= maxReplyBytes ? decision : undefined
    },

    async handle(rt, update, updateId) {
      if (await handleEvent(rt, update)) return null
      const now = rt.clock.now()
      const sender = await loadSender(rt.db, accountOf(update), now, openedBy(update, now))
      if (sender.hasWaiting) await requeueWaiting(rt.db, sender, now)
      const ctx = contextFor(rt, update, updateId, sender)
      // what is said in a group, and who follows anew, is no answer to a question asked in the private chat
      const isAside = isPublic(update) || update.kind === 'followed' || update.kind === 'entered'
      const stored = isAside ? null : sender.conversation
      const reply = sender.hasCalled && !isAside ? await answerCaller(ctx, stored) : await answer(ctx, stored)
      return textBytes(reply) <= maxReplyBytes ? reply : asLink(ctx, reply)
    },

    async afterRefusal(rt, update, updateId, error) {
      if (!(error instanceof StoppedText)) return error.message
      const sender = await loadSender(rt.db, accountOf(update), rt.clock.now())
      return offerClaim(contextFor(rt, update, updateId, sender), sender.conversation, error)
    },
  }
}

/** Whether somebody said or did something that wants an answer. */
function isSaid(update: Update): boolean {
  if (update.address === 'sys') return false
  switch (update.kind) {
    case 'text':
    case 'media':
    case 'tapped':
    case 'followed':
    case 'entered':
      return true
    case 'place':
      return update.how === 'sent'
    default:
      return false
  }
}

function typedIn(update: Update): string {
  switch (update.kind) {
    case 'text':
    case 'media':
      return update.text
    case 'tapped':
      return update.key
    default:
      return ''
  }
}

function isPublic(update: Update): boolean {
  return 'isPublic' in update && update.isPublic === true
}

/** What is to be done about something that was said: an answer that is ready, or work that reads and writes. */
type Decision = { reply: string } | { act(ctx: Context): Promise<string> }

/** Takes a decision on what was said outside any dialogue. */
function decide(heard: Heard): Decision {
  const { update } = heard
  if (update.kind === 'followed') {
    const groupId = update.scene === null ? null : joinScene(update.scene)
    return groupId === null
      ? { reply: welcome(heard) }
      : { act: ctx => joinCommand.run(ctx, String(groupId)) }
  }
  if (update.kind === 'entered') return { reply: welcome(heard) }
  if (isCancel(heard)) return { reply: '没有正在办理的事。发送“帮助”看看能做什么。' }
  const matched = matchIn(heard)
  if (isCopyToTrace(heard, matched) && !isPublic(update))
    return { act: async ctx => (await traceCopy(ctx, matched)) ?? carryOut(ctx, decideOnWords(ctx, matched)) }
  return decideOnWords(heard, matched)
}

/** What words mean that are no copy of a notice. @param matched the command that they begin with */
function decideOnWords(heard: Heard, matched: MatchedCommand | null): Decision {
  const { update } = heard
  if (isCallForHelp(heard, matched)) return { act: ctx => helpFirst(ctx, matched) }
  if (matched) return route(heard, matched.command, matched.input)
  if (isPicture(heard))
    return {
      act: async ctx => (await takeSlipPicture(ctx)) ?? (await takePicture(ctx)) ?? notUnderstood(ctx),
    }
  // the officer's whole message pasted, or the code alone: what else would somebody new mean by it
  const isCode = !heard.actor.person && /绑定码|^(?=.*[a-z])[\da-z\s-]{8,11}$/i.test(heard.text)
  const code = isCode ? codeIn(heard.text) : null
  if (code !== null)
    return isPublic(update) ? { reply: askAlone('绑定') } : { act: ctx => bindCommand.run(ctx, code) }
  if (wantsToBeHeard(heard) && !isPublic(update)) return { act: offerSlip }
  return isToRecord(heard) && !isPublic(update) ? { act: offerToRecord } : { reply: notUnderstood(heard) }
}

/** Calls help; what a notice asked for and was answered in the same words is noted behind it, and undoes no call. */
async function helpFirst(ctx: Context, matched: MatchedCommand | null): Promise<string> {
  const first = await help(ctx)
  if (matched?.command !== answerCommand || isPublic(ctx.update)) return first
  try {
    const decision = route(ctx, matched.command, matched.input)
    return `${first}\n——\n${await inTransaction(ctx.rt, rt => carryOut({ ...ctx, rt }, decision))}`
  } catch (error) {
    if (error instanceof DomainError) return `${first}\n——\n${error.message}`
    throw error
  }
}

/**
 * Help comes first, before any dialogue and whatever word it begins with: 求助 有人落水了 of a stranger, 入群 有人落水了. A
 * bare command is none, nor a text for others of somebody who may write it.
 */
function isCallForHelp(heard: Heard, matched: MatchedCommand | null): boolean {
  if (matched && (matched.isBare || isTextForOthers(heard, matched))) return false
  return callsForHelp(heard)
}

function isTextForOthers(heard: Heard, { command, input }: MatchedCommand): boolean {
  const isMeant = textsForOthers.has(command) || (callingThemselves.has(command) && !isPublic(heard.update))
  return isMeant && isFor(heard, command.audience) && (readAsLines.get(command)?.(heard, input) ?? true)
}

/** Whom a command is for, and whether here is the place for it. */
function route(heard: Heard, command: Command, input: string): Decision {
  if (isPublic(heard.update) && !command.isPublic) return { reply: askAlone(command.name) }
  if ('say' in command) return { reply: command.say(heard, input) }
  if (command.audience === 'anyone') return { act: ctx => command.run(ctx, input) }
  if (!heard.actor.person)
    return {
      reply: `“${command.name}”要先绑定账号：请向上级组织要一个绑定码，然后发送“绑定 绑定码”。\n要加入群，请发送“入群 群号”。`,
    }
  if (!isFor(heard, command.audience))
    return {
      reply:
        command.audience === 'manager'
          ? `“${command.name}”由负责组织工作的同志使用，您名下没有这样的职务。如有变动，请由上级更新名册。`
          : `“${command.name}”由群主和组织工作人员使用。您还没有登记过群，可发送“建群”。`,
    }
  return { act: ctx => command.run(ctx as KnownContext, input) }
}

/** Everybody in the group would read the answer. */
function askAlone(what: string): string {
  return `这里大家都看得到。“${what}”请在与我的单聊里办。`
}

function isCancel(heard: Heard): boolean {
  return /^(取消|退出|算了|不办了|作废)$/.test(plainWords(heard.text))
}

function matchIn(heard: Heard): MatchedCommand | null {
  const code = checkInCodeIn(heard.text)
  // 签到 K3482: who stands at the door is not asked first what they were in the middle of
  if (code !== null) return { command: checkInCommand, input: code, isBare: true, isGlued: false }
  return heard.update.kind === 'media' ? null : matchCommand(commands, heard.text)
}

interface StoredDialogue {
  name: string
  version: number
  step: string
  answers: Record<string, string>
}

/**
 * Who has called for help is heard out: what is no command and no call anew goes to those who were told, and answers the
 * open question as well, where there is one.
 */
async function answerCaller(ctx: Context, stored: StoredDialogue | null): Promise<string> {
  const answered = await answerQuestion(ctx)
  if (answered !== null) return answered
  const matched = matchIn(ctx)
  const isWords = ctx.update.kind === 'text' || ctx.update.kind === 'media'
  // what the server asked by itself is not what somebody in danger speaks of
  const isAsked = stored !== null && !conversations.some(each => isOpenOffer(each, stored))
  const isAnswer = isAsked && isWords && ctx.text !== ''
  if (stored?.name === eraseConversation.name) return answer(ctx, stored)
  const isCommand = matched !== null && isPlainlyMeant(ctx, matched)
  const isNews = !isCommand && !isCancel(ctx) && !(isAnswer && [...ctx.text].length < MIN_NEWS)
  const passed = isNews && !isCallForHelp(ctx, matched) ? await passOn(ctx) : null
  if (passed === null) return answer(ctx, stored)
  return isAnswer ? `${passed}\n——\n${await answer(ctx, stored)}` : passed
}

/** In danger 收到，在水库东岸 is no answer to a notice: a command is bare, begins with a number, or takes a text. */
function isPlainlyMeant(heard: Heard, { command, input, isBare, isGlued }: MatchedCommand): boolean {
  const takesAll = command.takesText || (command.takesWords && !isGlued)
  return isBare || (isFor(heard, command.audience) && (takesAll || /^[#\da-z]/i.test(input)))
}

/** A running dialogue first, then commands, then a guess at what was meant: never silence. */
async function answer(ctx: Context, stored: StoredDialogue | null): Promise<string> {
  if (stored && isCancel(ctx)) {
    await leave(ctx)
    return '好的，已取消。'
  }
  const conversation = stored && conversations.find(each => each.name === stored.name)
  if (stored && conversation) {
    const isForOthers = openField(conversation, stored)?.isText && dialoguesForOthers.has(conversation)
    const isSlipText = openField(conversation, stored)?.isText && slipDialogues.has(conversation)
    if (isSlipText && isCallForHelp(ctx, matchIn(ctx))) return helpWithin(ctx, conversation, stored)
    if (!isForOthers && isCallForHelp(ctx, matchIn(ctx))) {
      // what they say next is about the danger and no answer to what was asked
      if (!slipDialogues.has(conversation)) await leave(ctx)
      return help(ctx)
    }
    const reply = await answerInDialogue(ctx, conversation, stored, matchIn(ctx))
    if (reply !== null) return reply
    if (!isOpenOffer(conversation, stored)) await leave(ctx)
  }
  return carryOut(ctx, decide(ctx))
}

/** Calls help; what was written for a slip goes into it all the same, and what is wrong with it undoes no call. */
async function helpWithin(ctx: Context, conversation: Conversation, stored: StoredDialogue): Promise<string> {
  const first = await help(ctx)
  try {
    return await inTransaction(ctx.rt, async rt => {
      const inner = { ...ctx, rt }
      const reply = await answerInDialogue(inner, conversation, stored, matchIn(ctx))
      ctx.dialogue = inner.dialogue
      return `${first}\n——\n${reply}`
    })
  } catch (error) {
    if (error instanceof DomainError) return `${first}\n——\n${error.message}`
    throw error
  }
}

async function carryOut(ctx: Context, decision: Decision): Promise<string> {
  return 'reply' in decision ? decision.reply : decision.act(ctx)
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
  // one that is offered holds it as well: what somebody complains of is no proof of what they registered before
  const isOfSlip = slipDialogues.has(conversation)
  const held = isOfSlip && isPicture(ctx) ? await holdPicture(ctx, conversation, stored) : null
  if (held !== null) return held
  const picture = isPicture(ctx) ? ((await takeSlipPicture(ctx)) ?? (await takePicture(ctx))) : null
  if (picture !== null) return picture
  if (isOpenOffer(conversation, stored) && ctx.text === '') return null
  if (['media', 'place'].includes(ctx.update.kind) && ctx.text === '')
    return `图片、语音、文件、位置我还看不懂，请用文字回复。\n（“${title}”还没有办完；不办了请回复：取消）`
  // 确认 is a command of its own as well: in a dialogue it is what was asked for
  const isAnswer = field.isAnswer?.(ctx.text) || /^确认(?:无误)?$/.test(plainWords(ctx.text))
  if (matched && !isAnswer && (matched.isBare || !(field.isText || matched.isGlued))) {
    if (conversation.isOffer) return null
    return aside(ctx, title, matched)
  }
  const outcome = await resume(ctx, conversation, field, stored.answers)
  if ('reply' in outcome) return outcome.reply
  // an offer that nobody took is forgotten, and what was said is answered as usual
  if (conversation.isOffer && field.name === OFFERED) return null
  return matched && !isAnswer ? aside(ctx, title, matched) : `${outcome.error}\n（不办了请回复：取消）`
}

/** A question that the server has asked by itself, and that nobody has begun to answer. */
function isOpenOffer({ name, staysOpen = false }: Conversation, stored: StoredDialogue): boolean {
  return staysOpen && name === stored.name && stored.step === OFFERED
}

/** Runs a command in the middle of a dialogue, which stays open unless the command begins one of its own. */
async function aside(ctx: Context, title: string, { command, input }: MatchedCommand): Promise<string> {
  const before = ctx.dialogue
  const reply = await carryOut(ctx, route(ctx, command, input))
  return before !== null && ctx.dialogue === before
    ? `${reply}\n——\n“${title}”还没有办完，请接着回复；不办了请回复：取消`
    : reply
}

function notUnderstood(heard: Heard): string {
  if (/^(你好|您好|在吗|在不在|hi|hello)/i.test(heard.text)) return welcome(heard)
  if (/^(谢谢|多谢|辛苦|好的?$|嗯+$|哦+$|ok$|明白|了解)/i.test(plainWords(heard.text)))
    return heard.actor.ownsGroups
      ? '好的。有通知要转发时：已看到请回“收”，转发到群后请回“转”。'
      : '好的，有事随时发送“帮助”。'
  if (['media', 'place'].includes(heard.update.kind) && heard.text === '')
    return `收到。图片、语音、文件、位置我还看不懂，请用文字说明要办什么，或发送“帮助”。${heard.actor.ownsGroups ? '图片要作登记的证明，请先发“登记 类别 条数”，再发图片。' : ''}`
  const near = nearestCommands(commands, heard.text, command => isFor(heard, command.audience))
  if (near.length === 0)
    return `没有明白您的意思。${heard.actor.person ? '' : '要加入群请发送“入群 群号”；'}发送“帮助”看看能做什么。`
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
