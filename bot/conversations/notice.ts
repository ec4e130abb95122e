import type { Reach, Route } from '../../db/queries/cascade.ts'
import type { NoticeContent } from '../../db/queries/notices.ts'
import { personsByIds } from '../../db/queries/persons.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { textBytes } from '../../server/channels/text.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { StoppedText } from '../../server/domain/messages/false-alarms.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import {
  approvalReason,
  approversToAsk,
  draftUrl,
  levelOfAuthor,
  needsApproval,
} from '../../server/domain/notices/approval.ts'
import { describeAudience } from '../../server/domain/notices/audience.ts'
import { checkOutgoing } from '../../server/domain/notices/check.ts'
import { saveDraft, submitDraft } from '../../server/domain/notices/drafts.ts'
import { planReach } from '../../server/domain/notices/issue.ts'
import type { SubmitOutcome } from '../../server/domain/notices/pass-on.ts'
import { routeNames } from '../../server/domain/notices/routes.ts'
import {
  type Importance,
  importanceRule,
  noticeRules,
  parseImportance,
} from '../../server/domain/notices/rules.ts'
import { groupsTogether } from '../../server/domain/notices/split.ts'
import { defaultImportance, isLateForToday, timingOf } from '../../server/domain/notices/timing.ts'
import { DomainError } from '../../server/errors.ts'
import { inTransaction } from '../../server/runtime.ts'
import type { Programme } from '../../server/templates.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readMoment } from '../moments.ts'
import { readNumber } from '../words.ts'

/** UTF-8 bytes of a notice that fit a preview with what stands around them. */
const PREVIEW_BYTES = 1200
const DAY_MS = 86_400_000
/** A notice is planned so far ahead at most. */
const MOST_AHEAD_MS = 366 * DAY_MS

/** Asks text and category, shows whom it reaches, and sends after a second word. */
export const noticeConversation: Conversation = {
  name: 'notice',
  title: '发通知',
  version: 2,
  fields: [
    {
      name: 'body',
      isText: true,
      ask: () => '请发来通知正文（一条消息，约 660 字以内）。',
      async read(ctx, text) {
        try {
          await checkOutgoing(ctx.rt, text)
        } catch (error) {
          if (error instanceof DomainError && !(error instanceof StoppedText)) return { error: error.message }
          throw error
        }
        return { value: text }
      },
    },
    {
      name: 'unit',
      async ask(ctx) {
        const units = unitChoices(ctx)
        return `以哪个单位的名义？${units.map((unit, index) => `${index + 1} ${unit.name}`).join('、')}（回复数字）`
      },
      async read(ctx, text) {
        const units = unitChoices(ctx)
        const unit = units[(readNumber(text) ?? 0) - 1] ?? units.find(each => each.name === text)
        return unit ? { value: String(unit.id) } : { error: '请回复单位前面的数字。' }
      },
    },
    {
      name: 'category',
      ask: (_ctx, answers) =>
        `这是哪一类？看起来像“${guess(answers)}”。请回复：${CATEGORIES.map((name, index) => `${index + 1} ${name}`).join('、')}（回“是”即按“${guess(answers)}”）`,
      async read(_ctx, text, answers) {
        const category = /^(是|对|嗯|好)的?$/.test(text) ? guess(answers) : parseCategory(text)
        return category ? { value: category } : { error: '请回复 1 到 5，或类别名称。' }
      },
    },
    {
      name: 'confirm',
      // 草稿 and 确认 are commands as well
      isAnswer: text => /^确认/.test(text) || wantsDraft(text) || readMoment(text, new Date(0)) !== null,
      async ask(ctx, answers) {
        await checkOutgoing(ctx.rt, answers.body as string)
        const unit = (await unitById(ctx.rt.db, Number(answers.unit))) as UnitRow
        const programme = ctx.rt.templates.programme(unit.programme)
        const content = contentOf(ctx, answers, programme)
        const { body, audience } = content
        const importance = content.importance as Importance
        const reach = await planReach(ctx.rt, unit, audience)
        const sendAt = sendAtOf(answers)
        // the end, which says how to send it, must be in the chat: a long text is shown by its beginning
        const shown =
          textBytes(body) <= PREVIEW_BYTES ? body : `${[...body].slice(0, 300).join('')}……（全文见上）`
        const isNarrowed = Object.keys(audience).length > 0
        return [
          '请确认：',
          shown,
          '——',
          `${unit.name}，${content.category}；${isNarrowed ? `${await describeAudience(ctx.rt, unit.programme, audience)}：` : ''}发到 ${reach.groups} 个群（${routeWords(reach)}），${reach.people > 0 ? `群里 ${reach.people} 人，` : ''}需要 ${reach.owners} 位群主动手${reach.ownerless > 0 ? `，另有 ${reach.ownerless} 个群没有群主、无法送达` : ''}${content.mode === 'by-level' ? '；逐级往下发' : ''}。`,
          timingWords(ctx, importance, sendAt),
          ...(await approvalWords(ctx, unit, reach, answers)),
          `回复“确认”${sendAt ? '到时发出' : '发出'}，“取消”作废；${otherImportances(importance)}改时限，“明天8点”定时，“${content.mode === 'by-level' ? '同时' : '逐级'}”，“只发 ${levelBelow(programme, unit.level)}”改范围，“草稿”先存着。`,
        ].join('\n')
      },
      read: readConfirmation,
    },
  ],
  async finish(ctx, answers) {
    const { rt, actor } = ctx as KnownContext
    const unit = (await unitById(rt.db, Number(answers.unit))) as UnitRow
    const content = contentOf(ctx, answers, rt.templates.programme(unit.programme))
    const sendAt = sendAtOf(answers)
    const draftId = await saveDraft(rt, actor, { unitId: unit.id, content, sendAt })
    if (answers.confirm === 'draft')
      return `已存为草稿 ${draftId}，还没有发出。要发请回复：草稿 ${draftId} 发出；修改、加图片和文件：${draftUrl(rt, draftId)}`
    try {
      // a rule that says no leaves the draft
      const outcome = await inTransaction(rt, tx => submitDraft(tx, actor, draftId))
      return await outcomeWords(ctx as KnownContext, outcome, { draftId, unit, content })
    } catch (error) {
      if (error instanceof DomainError && error.code === 'notice.no_approver')
        return `还没有发出：${error.message}\n写的已存为草稿 ${draftId}，可以回复：草稿 ${draftId} 发出`
      throw error
    }
  },
}

/** What has become of a notice that was submitted, for its writer. */
export async function outcomeWords(
  { rt }: KnownContext,
  outcome: SubmitOutcome,
  { draftId, unit, content }: { draftId: number; unit: UnitRow; content: NoticeContent },
): Promise<string> {
  switch (outcome.outcome) {
    case 'sent': {
      const reach = await planReach(rt, unit, content.audience)
      const now = rt.clock.now()
      const timing = timingOf(noticeRules, importanceRule(content.importance), now)
      const sent =
        timing.startsAt > now ? `已排好，${chineseMoment(timing.startsAt)}安静时间过后发出` : '已发出'
      const id = outcome.noticeId
      return `通知 ${id} ${sent}：${reach.groups} 个群（${routeWords(reach)}），${chineseMoment(timing.deadlineAt)}截止。到时前会提醒还没转的群主；随时发送“回执 ${id}”看进度。`
    }
    case 'waiting': {
      const asked = await personsByIds(rt.db, outcome.askedIds)
      const names = asked.map(person => person.name).join('、')
      return `还没有发出：要有第二人审核，已请${names}看（草稿 ${draftId}）。同意后${content.importance === 'urgent' ? '马上' : ''}发出，退回会说明理由，都会告诉您。`
    }
    case 'ready':
      return `已定好，${chineseMoment(outcome.sendAt)}发出（草稿 ${draftId}）。之前要改或不发了，请回复：草稿 ${draftId}`
  }
}

type Read = ReturnType<Conversation['fields'][number]['read']>

async function readConfirmation(ctx: Context, text: string, answers: Answers): Promise<Awaited<Read>> {
  const importance = parseImportance(text)
  if (importance) return { instead: { importance } }
  if (/^(确认|确认发出|确认发送|发出|发送|是|好的?)$/.test(text)) return { value: 'yes' }
  if (wantsDraft(text)) return { value: 'draft' }
  if (/^逐级(下?发|往下发)?$/.test(text)) return { instead: { mode: 'by-level' } }
  if (/^(各级)?同时(下?发)?$/.test(text)) return { instead: { mode: 'at-once' } }
  if (/^(现在|马上|立即|不定时)(就?发)?$/.test(text)) return { instead: { sendAt: '' } }
  const only = /^只发(?:给|到)?[:：\s]*(.+)$/s.exec(text)?.[1]
  if (only !== undefined) return readAudience(ctx, only, answers)
  const now = ctx.rt.clock.now()
  const moment = readMoment(text, now)
  if (moment === null) return { error: '请回复“确认”发出。' }
  if (moment <= now) return { error: `${chineseMoment(moment)}已经过了，请写一个以后的时间，如：明天8点。` }
  if (moment.getTime() - now.getTime() > MOST_AHEAD_MS) return { error: '定时最多提前一年。' }
  return { instead: { sendAt: moment.toISOString() } }
}

function wantsDraft(text: string): boolean {
  return /^(存?(为|成)?草稿|先存着|先不发)$/.test(text)
}

/** Levels and kinds of groups by their names: 只发 县级、乡镇. */
async function readAudience(ctx: Context, text: string, answers: Answers): Promise<Awaited<Read>> {
  if (/^(全部|所有|所有的?群)$/.test(text)) return { instead: { levels: '', kinds: '' } }
  const unit = (await unitById(ctx.rt.db, Number(answers.unit))) as UnitRow
  const { levels, groupKinds } = ctx.rt.templates.programme(unit.programme)
  const chosen = { levels: new Set<string>(), kinds: new Set<string>() }
  for (const word of text.split(/[\s、,，和]+/).filter(each => each !== '')) {
    const kinds = groupKinds.filter(kind => kind.name === word)
    const ofLevel = levels.filter(level => bare(level.name) === bare(word))
    const near = ofLevel.length > 0 ? ofLevel : levels.filter(level => bare(level.name).includes(bare(word)))
    const found =
      kinds.length > 0 ? kinds : near.length > 0 ? near : groupKinds.filter(kind => kind.name.includes(word))
    if (found.length === 0)
      return {
        error: `没有“${word}”。层级有：${levels.map(level => level.name).join('、')}；群类型有：${groupKinds.map(kind => kind.name).join('、')}。按单位选请到网页上写（发送“网页”）。`,
      }
    const into = found === near ? chosen.levels : chosen.kinds
    for (const each of found) into.add(each.id)
  }
  const instead = { levels: [...chosen.levels].join(','), kinds: [...chosen.kinds].join(',') }
  const audience = audienceOf(instead)
  const reach = await planReach(ctx.rt, unit, audience)
  return reach.groups === 0
    ? { error: `${unit.name}及下级没有这样的群，请换一个范围，或回复“只发 全部”。` }
    : { instead }
}

/** A level that one may want to send to alone, as an example. */
function levelBelow({ levels }: Programme, level: string): string {
  const at = levels.findIndex(each => each.id === level)
  return (levels[at + 1] ?? levels[at])?.name ?? ''
}

const bare = (name: string) => name.replace(/[级的]/g, '')

/** The unit when there is only one to choose from, so that it is not asked. */
export function soleUnit(ctx: Context): Answers {
  const units = unitChoices(ctx)
  return units.length === 1 ? { unit: String(units[0]?.id) } : {}
}

/** The units that the actor runs, each once, with the programme where two bear one name (榆阳区). */
function unitChoices(ctx: Context): { id: number; name: string }[] {
  const roles = managingRoles(ctx.rt.templates, ctx.actor)
  const names = new Map(roles.map(role => [role.unitId, role]))
  const isShared = (name: string) => [...names.values()].filter(role => role.unitName === name).length > 1
  return [...names].map(([id, role]) => ({
    id,
    name: isShared(role.unitName)
      ? `${role.unitName}（${ctx.rt.templates.programme(role.programme).name}）`
      : role.unitName,
  }))
}

function contentOf(_ctx: Context, answers: Answers, programme: Programme): NoticeContent {
  return {
    body: (answers.body as string).trim(),
    category: answers.category as Category,
    importance: answers.importance ?? defaultImportance(programme),
    audience: audienceOf(answers),
    mode: answers.mode ?? 'at-once',
    link: null,
    ask: null,
  }
}

function audienceOf({ levels = '', kinds = '' }: Answers): NoticeContent['audience'] {
  return {
    ...(levels === '' ? {} : { levels: levels.split(',') }),
    ...(kinds === '' ? {} : { groupKinds: kinds.split(',') }),
  }
}

function sendAtOf({ sendAt = '' }: Answers): Date | null {
  return sendAt === '' ? null : new Date(sendAt)
}

/** Who has to agree before it goes; nothing where nobody has to. */
async function approvalWords(
  ctx: Context,
  unit: UnitRow,
  { groups }: Reach,
  answers: Answers,
): Promise<string[]> {
  const authorId = (ctx as KnownContext).actor.person.id
  const written = { authorId, body: answers.body ?? '', sendAt: sendAtOf(answers), draftId: null }
  const together = await groupsTogether(ctx.rt, written, groups)
  const facts = { level: levelOfAuthor(ctx.templates, ctx.actor, unit), groups: together.groups }
  if (!needsApproval(noticeRules, facts)) return []
  try {
    const asked = await approversToAsk(ctx.rt, {
      authorId,
      unitId: unit.id,
      unitName: unit.name,
      unitPath: unit.path,
      programme: unit.programme,
    })
    return [`${approvalReason(facts, groups)}：确认后先请${asked.map(each => each.name).join('、')}看。`]
  } catch (error) {
    if (error instanceof DomainError) return [error.message]
    throw error
  }
}

/** When it is due, and what the hour of sending changes. */
function timingWords(ctx: Context, importance: Importance, sendAt: Date | null): string {
  const { name, words, deadline } = importanceRule(importance)
  const now = ctx.rt.clock.now()
  const issuedAt = sendAt !== null && sendAt > now ? sendAt : now
  const { startsAt, deadlineAt } = timingOf(noticeRules, importanceRule(importance), issuedAt)
  const isLate = isLateForToday(deadline, issuedAt)
  const late = !isLate
    ? ''
    : issuedAt === now
      ? '（今天已晚，算明天；今晚就要到请回“紧急”）'
      : '（那时已晚，算第二天；当晚就要到请回“紧急”）'
  const planned = issuedAt === now ? '' : `定在${chineseMoment(issuedAt)}发出。`
  const quiet =
    startsAt > issuedAt
      ? `${issuedAt === now ? '现在' : '那时'}是安静时间，${chineseMoment(startsAt)}发出。`
      : ''
  return `${planned}${name}：${isLate ? '' : `${words}，`}${chineseMoment(deadlineAt)}前传达到群${late}。${quiet}`
}

/** “当天”“紧急” */
function otherImportances(importance: Importance): string {
  return (['normal', 'same-day', 'urgent'] as const)
    .filter(id => id !== importance)
    .map(id => `“${importanceRule(id).name}”`)
    .join('')
}

function guess(answers: Answers): Category {
  return classifyMessage(shippedClassifier(), answers.body ?? '').category
}

function routeWords(reach: Reach): string {
  return (Object.keys(routeNames) as Route[])
    .filter(route => reach.routes[route] > 0)
    .map(route => `${routeNames[route]} ${reach.routes[route]}`)
    .join('、')
}
