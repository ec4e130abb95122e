import { showPhone } from '../../server/domain/danger/phone.ts'
import {
  answerDanger,
  callHelp,
  followUp,
  questionWords,
  reportDanger,
  reportWords,
} from '../../server/domain/danger/report.ts'
import { firstWords, mayMeanDanger, speaksOfDanger } from '../../server/domain/danger/rules.ts'
import { type DangerWord, endOwnCall, settleDanger } from '../../server/domain/danger/settle.ts'
import { type Command, plainWords } from '../command.ts'
import type { Context, Heard, KnownContext } from '../context.ts'
import { claimStopped } from '../conversations/false-alarm.ts'
import { readNumbers } from '../words.ts'

type Settled = Awaited<ReturnType<typeof settleDanger>>

/** A word about a call for help, by its number alone: 到3号楼来，有人晕倒了 is a call itself. */
function settling(
  command: Pick<Command, 'name' | 'aliases' | 'usage' | 'example'> & { audience: 'anyone' | 'known' },
  word: DangerWord,
  words: (id: number, settled: Settled) => string,
): Command & { run(ctx: Context, input: string): Promise<string> } {
  return {
    ...command,
    accepts: input => /^#?\d+号?$/.test(input),
    async run(ctx: Context, input: string) {
      const [id] = readNumbers(input)
      if (id === undefined) return `请写上编号，如：${command.example}`
      return words(id, await settleDanger(ctx.rt, ctx.actor, { callId: id, word }))
    },
  } as Command & { run(ctx: Context, input: string): Promise<string> }
}

const phoneCommand: Command = {
  name: '电话',
  aliases: [],
  usage: '电话 编号：看求助的人的手机号（留痕，本人看得到）',
  example: '电话 5',
  audience: 'manager',
  accepts: input => /^#?\d+号?$/.test(input),
  async run(ctx, input) {
    const [id] = readNumbers(input)
    if (id === undefined) return '请写上编号，如：电话 5'
    return `${id} 号求助的人的手机：${await showPhone(ctx.rt, ctx.actor, id)}。本人看得到您看过。`
  },
}

const settleFalseAlarm = settling(
  {
    name: '误报',
    aliases: [],
    usage: '误报 编号：没有危险；话被拦下了，不该拦，回：误报',
    example: '误报 5',
    audience: 'known',
  },
  'false_alarm',
  (id, { isEnded }) => (isEnded ? `${id} 号已登记为误报，本人若再求助会重新通知。` : notedWords(id)),
)

/** Without a number it is about what the speaker was stopped with. */
const falseAlarmCommand = {
  ...settleFalseAlarm,
  run: (ctx: KnownContext, input: string) =>
    input === '' ? claimStopped(ctx, ctx.dialogue?.answers) : settleFalseAlarm.run(ctx, input),
} as Command

export const dangerCommands: readonly Command[] = [
  settling(
    {
      name: '到',
      aliases: ['我来处理'],
      usage: '到 编号：有人有危险，我来处理',
      example: '到 5',
      audience: 'known',
    },
    'answered',
    (id, { speaker }) =>
      speaker === 'owner'
        ? `好的，已告诉本人和负责的同志您去处理 ${id} 号。有情况请接着发给他们；属实、平安由他们登记。`
        : `好的，${id} 号记在您名下，已告诉本人有人在处理。属实请回：属实 ${id}；平安了请回：平安 ${id}`,
  ),
  settling(
    {
      name: '属实',
      aliases: [],
      usage: '属实 编号：核实了，报告上面各级',
      example: '属实 5',
      audience: 'known',
    },
    'confirmed',
    id => `已报告上面各级。处理完请回：平安 ${id}`,
  ),
  falseAlarmCommand,
  settling(
    // who called may be somebody that nobody knows
    { name: '平安', aliases: [], usage: '平安 编号：已经没有危险', example: '平安 5', audience: 'anyone' },
    'closed',
    (id, { isEnded }) => (isEnded ? `${id} 号已登记为平安。` : notedWords(id)),
  ),
  phoneCommand,
]

/** The answers to the bot's question by a word, for buttons and for who is in the middle of something else. */
export const dangerAnswerCommands: readonly Command[] = [
  {
    name: '有危险',
    aliases: [],
    usage: '有危险：回答有没有人有危险，马上通知',
    example: '有危险',
    audience: 'anyone',
    isPublic: true,
    accepts: () => false,
    async run(ctx) {
      const answered = await answerDanger(ctx.rt, ctx.actor, true)
      // nobody has asked: it is said all the same
      const reply = answered ?? reportWords(await callHelp(ctx.rt, ctx.actor, ctx.text))
      return 'isPublic' in ctx.update && ctx.update.isPublic ? firstWords(ctx.text) : reply
    },
  },
  {
    name: '没有危险',
    aliases: ['没危险'],
    usage: '没有危险：回答有没有人有危险，谁也不通知',
    example: '没有危险',
    audience: 'anyone',
    isPublic: true,
    accepts: () => false,
    run: async ctx =>
      (await answerDanger(ctx.rt, ctx.actor, false)) ??
      (await endOwnCall(ctx.rt, ctx.actor)) ??
      '好的。有人受伤、有危险请随时发来。',
  },
]

function notedWords(id: number): string {
  return `知道了，已告诉处理的同志。${id} 号核实过，由他们核对后结束。`
}

/** Words of one's own that speak of a person in danger, typed or spoken. The title of a link is somebody else's. */
export function callsForHelp(heard: Heard): boolean {
  const { update } = heard
  const isOwn = update.kind === 'text' || (update.kind === 'media' && update.mediaType !== 'link')
  return isOwn && speaksOfDanger(heard.text)
}

/**
 * Calls help, or asks first where it is in doubt. In a group everybody reads the answer: it holds the numbers, the question
 * and nobody's name.
 */
export async function help(ctx: Context): Promise<string> {
  const report = await reportDanger(ctx.rt, ctx.actor, ctx.text)
  if (!('isPublic' in ctx.update && ctx.update.isPublic))
    return reportWords(report, ctx.dialogue ? 'word' : 'number')
  return report.done === null ? `${report.numbers}\n${questionWords(report, 'word')}` : report.numbers
}

/**
 * What is said after the question whether anybody is in danger, where it is an answer to it. A number is one only outside
 * a dialogue, which asks for numbers itself.
 * @returns what to answer; null: it is no answer, or nothing was asked
 */
export async function answerQuestion(ctx: Context): Promise<string | null> {
  const said = plainWords(ctx.text)
  const byNumber = ctx.dialogue === null && /^[12]$/.test(said)
  if (byNumber) return answerDanger(ctx.rt, ctx.actor, said === '1')
  const [first = ''] = said.split(/[，,。！!\s]/)
  const hasMore = [...said].length > [...first].length + 1
  if (/^(有|有的|有危险|有人受伤|是|是的)$/.test(first)) {
    const done = await answerDanger(ctx.rt, ctx.actor, true)
    if (done !== null && hasMore) await passOn(ctx)
    return done
  }
  // 没有，他没有呼吸了 and 不是，是我家着火了 are no “no”
  const isNo =
    /^(没有|没有危险|没危险|没人受伤|没事|没|不是)$/.test(first) && !(hasMore && mayMeanDanger(said))
  return isNo ? answerDanger(ctx.rt, ctx.actor, false) : null
}

const mediaNames: Readonly<Record<string, string>> = {
  image: '图片',
  voice: '语音',
  video: '视频',
  shortvideo: '视频',
  file: '文件',
}

/**
 * Passes on what somebody says after they have called for help: words, a place, or that they sent a picture.
 * @returns what to answer; null: it is nothing of that kind, or no call of theirs stands
 */
export async function passOn(ctx: Context): Promise<string | null> {
  const words = wordsOf(ctx)
  return words === '' ? null : followUp(ctx.rt, ctx.actor, words)
}

function wordsOf({ update, text }: Context): string {
  if (update.kind === 'place' && update.how !== 'reported')
    return `（位置）${update.label} 纬度 ${update.latitude}，经度 ${update.longitude}`
  if (update.kind === 'text') return text
  if (update.kind !== 'media') return ''
  const sent = `（发来一${update.mediaType === 'image' ? '张' : '个'}${mediaNames[update.mediaType] ?? '链接'}，请向本人要）`
  return update.mediaType === 'voice' && text !== '' ? text : `${sent}${text}`
}
