import { announcedBy, signedUpFor } from '../../db/queries/activities.ts'
import { dayOf, timeOf } from '../../server/clock.ts'
import { isCheckInCode } from '../../server/domain/activities/announce.ts'
import { checkIn } from '../../server/domain/activities/check-in.ts'
import { cancelActivity, confirmHeld, peopleOfActivity } from '../../server/domain/activities/settle.ts'
import { type Participant, signUp, withdrawSignUp } from '../../server/domain/activities/sign-up.ts'
import { activityLine } from '../../server/domain/activities/words.ts'
import { recordRules } from '../../server/domain/messages/record-rules.ts'
import { noteTap } from '../../server/domain/outgoing/card.ts'
import { type Command, plainWords } from '../command.ts'
import { type Context, type KnownContext, listReply } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import {
  activityConversation,
  announceConversation,
  isAnnouncement,
  readActivityLine,
  readAnnouncedLine,
} from '../conversations/activity.ts'
import { readDay, readNumber } from '../words.ts'

export const activityCommand: Command = {
  name: '活动',
  aliases: ['线下活动'],
  usage: '活动 类型 人数 地点 日期：登记一次线下活动',
  example: '活动 技能培训 35人 村委会 9月12日',
  audience: 'owner',
  takesWords: true,
  // 活动预告：本周六…… is a text to be recorded
  accepts: (input, isGlued) =>
    [...input].length <= 40 && !/[：。！？!?]/.test(input) && (!isGlued || /\d/.test(input)),
  async run(ctx, input) {
    await leave(ctx)
    return advance(ctx, activityConversation, readActivityLine(ctx, input))
  },
}

/** More names than these are looked up on a page and not in the chat. */
const MOST_NAMES = 500
/** Several activities of one person are told apart by their numbers. */
const MOST_OWN = 5
/** The number of an activity: 12, 12号, 活动12. Heads (35人), days and times that a text begins with are none. */
const NUMBER = /^[\s#活动编号]*(\d{1,9})(?!\d|\s*(?:[人名位个多余年月日点时天:：.．、\-/~～+]|号[前后起]))/
/** More than this behind a command is a text that only begins with its word: 报名 3 楼会议室，请各位…… */
const MOST_BEHIND = 20

export const announceCommand: Command = {
  name: '活动预告',
  aliases: ['预告活动'],
  usage: '活动预告 类型 时间 地点 内容：发起一次可以报名、签到的活动',
  example: '活动预告 技能培训 9月20日 14:00 村委会 大棚管理',
  audience: 'owner',
  takesWords: true,
  accepts: isAnnouncement,
  async run(ctx, input) {
    await leave(ctx)
    return advance(ctx, announceConversation, readAnnouncedLine(ctx, input))
  },
}

const participant = ({ actor }: Context): Participant => ({
  identityId: actor.identityId,
  personId: actor.person?.id ?? null,
})

const isNumbered = (input: string) => input === '' || (NUMBER.test(input) && [...input].length <= MOST_BEHIND)

export const signUpCommand: Command = {
  name: '报名',
  aliases: ['我要报名', '活动报名'],
  usage: '报名 活动编号：报名参加活动',
  example: '报名 12',
  audience: 'anyone',
  accepts: isNumbered,
  async run(ctx, input) {
    const number = NUMBER.exec(input)?.[1]
    if (number === undefined) return '请写上活动编号（群里的活动预告上有），如：报名 12'
    const result = await signUp(ctx.rt, participant(ctx), Number(number))
    if ('refused' in result) return result.refused
    const { activity } = result
    return `已报名：${activityLine(ctx.templates, activity)}（${activity.unitName}）。${activity.remindedAt === null ? '前一天傍晚我会提醒您' : '就要开始了，请记着时间'}；去不了请回复：取消报名 ${activity.id}`
  },
}

export const withdrawSignUpCommand: Command = {
  name: '取消报名',
  aliases: ['不报名', '退报名'],
  usage: '取消报名 活动编号：不参加了',
  example: '取消报名 12',
  audience: 'anyone',
  accepts: isNumbered,
  async run(ctx, input) {
    const number = NUMBER.exec(input)?.[1]
    const activityId = number === undefined ? await onlySignUp(ctx) : Number(number)
    if (typeof activityId === 'string') return activityId
    const result = await withdrawSignUp(ctx.rt, participant(ctx), activityId)
    return 'refused' in result
      ? result.refused
      : `已取消报名：${activityLine(ctx.templates, result.activity)}。`
  },
}

/** The activity that somebody has signed up for, where it is one; words that ask which, otherwise. */
async function onlySignUp(ctx: Context): Promise<number | string> {
  const mine = await signedUpFor(ctx.rt.db, ctx.actor.identityId, MOST_OWN)
  const [only] = mine
  if (!only) return '您没有报名活动，不用取消。'
  if (mine.length === 1) return only.id
  return `您报名了 ${mine.map(each => `${each.id}（${activityLine(ctx.templates, each)}）`).join('、')}，请写上编号，如：取消报名 ${only.id}`
}

export const checkInCommand: Command = {
  name: '到场',
  aliases: ['活动签到', '打卡'],
  usage: '到场 签到码：到了活动现场签到（说“签到 签到码”也行）',
  example: '到场 K3482',
  audience: 'anyone',
  takesWords: true,
  accepts: input => input === '' || isCheckInCode(input),
  async run(ctx, input) {
    if (!isCheckInCode(input)) return '请写上现场公布的签到码，如：签到 K3482'
    const result = await checkIn(ctx.rt, participant(ctx), input)
    if ('refused' in result) return result.refused
    const line = activityLine(ctx.templates, result.activity)
    return result.isFirst
      ? `签到成功：${line}。您是第 ${result.came} 位。`
      : `您已经签过到了：${line}，不用再签。`
  },
}

/** 签到 with a check-in code is not the roll call of a group's owner (签到 群号). */
export function checkInCodeIn(text: string): string | null {
  const code = /^签到[\s:：]*([A-Z]\d+)$/i.exec(plainWords(text))?.[1]
  return code !== undefined && isCheckInCode(code) ? code : null
}

export const attendanceCommand: Command = {
  name: '名单',
  aliases: ['报名名单', '活动名单'],
  usage: '名单 活动编号：谁报了名、谁到了',
  example: '名单 12',
  audience: 'owner',
  accepts: isNumbered,
  async run(ctx, input) {
    const activityId = await ownActivity(ctx, input, '名单')
    if (typeof activityId === 'string') return activityId
    const { activity, attendance, people } = await peopleOfActivity(ctx.rt, ctx.actor, activityId, MOST_NAMES)
    const named = people.filter(each => each.name !== null)
    const nameless = people.length - named.length
    const code = activity.checkInCode === null ? '' : `，签到码 ${activity.checkInCode}`
    return listReply(
      ctx,
      `活动 ${activityId}：${activityLine(ctx.templates, activity)}。报名 ${attendance.signedUp} 人，签到 ${attendance.came} 人${code}。`,
      named.map(
        each =>
          `${each.name}${each.checkedInAt ? `　${timeOf(each.checkedInAt)} 签到` : ''}${each.signedUpAt === null ? '（没有报名）' : ''}`,
      ),
      nameless > 0 ? `另有 ${nameless} 个没有绑定姓名的账号。` : '',
    )
  },
}

/** The number of an activity of one's own; words that ask for it, where it is not clear. */
async function ownActivity(ctx: KnownContext, input: string, word: string): Promise<number | string> {
  const number = NUMBER.exec(input)?.[1]
  if (number !== undefined) return Number(number)
  const mine = await announcedBy(ctx.rt.db, ctx.actor.person.id, MOST_OWN)
  const [only] = mine
  if (!only) return '您没有预告过还没办的活动。要预告请发送：活动预告'
  if (mine.length === 1) return only.id
  return `您预告了 ${mine.map(each => `${each.id}（${activityLine(ctx.templates, each)}）`).join('、')}，请写上编号，如：${word} ${only.id}`
}

export const heldCommand: Command = {
  name: '办完',
  aliases: ['办完了', '活动办完'],
  usage: '办完 活动编号 人数：预告的活动办完了，计入报表',
  example: '办完 12 35人',
  audience: 'owner',
  accepts: input => isNumbered(input) || (/^\d/.test(input) && [...input].length <= 40),
  async run(ctx, input) {
    const activityId = await ownActivity(ctx, input, '办完')
    if (typeof activityId === 'string') return activityId
    const words = input
      .replace(NUMBER, '')
      .split(/[\s,，、]+/)
      .filter(each => each !== '')
    const today = dayOf(ctx.rt.clock.now())
    const heldOn = words.map(word => readDay(word, today)).find(day => day !== null) ?? null
    const heads = words
      .filter(word => readDay(word, today) === null)
      .map(readNumber)
      .find(each => each !== null)
    if (ctx.update.kind === 'tapped') await noteTap(ctx.rt, ctx.update)
    const held = await confirmHeld(ctx.rt, ctx.actor, activityId, { heads: heads ?? null, heldOn })
    return `已登记办完：${activityLine(ctx.templates, held.activity)}，${held.heads} 人，计入 ${held.heldOn.slice(0, 7)}。${recordRules.pictures.minutes.value} 分钟内发来的图片存为活动照片。`
  },
}

export const notHeldCommand: Command = {
  name: '没办',
  aliases: ['不办了', '取消活动'],
  usage: '没办 活动编号：预告的活动不办了、没有办',
  example: '没办 12',
  audience: 'owner',
  accepts: isNumbered,
  async run(ctx, input) {
    const activityId = await ownActivity(ctx, input, '没办')
    if (typeof activityId === 'string') return activityId
    if (ctx.update.kind === 'tapped') await noteTap(ctx.rt, ctx.update)
    const { activity, told } = await cancelActivity(ctx.rt, ctx.actor, activityId)
    return `已登记：${activityLine(ctx.templates, activity)}不办，不计入报表。${told > 0 ? `已告诉报名的 ${told} 人。` : ''}`
  },
}
