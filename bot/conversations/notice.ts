import type { Reach, Route } from '../../db/queries/cascade.ts'
import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { textBytes } from '../../server/channels/text.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import { checkNotice, issueNotice, planReach, planTiming } from '../../server/domain/notices/issue.ts'
import { routeNames } from '../../server/domain/notices/routes.ts'
import { type Importance, importanceRule, parseImportance } from '../../server/domain/notices/rules.ts'
import { defaultImportance, isLateForToday } from '../../server/domain/notices/timing.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readNumber } from '../words.ts'

/** UTF-8 bytes of a notice that fit a preview with what stands around them. */
const PREVIEW_BYTES = 1500

/** Asks text and category, shows whom it reaches, and sends after a second word. */
export const noticeConversation: Conversation = {
  name: 'notice',
  title: '发通知',
  version: 1,
  fields: [
    {
      name: 'body',
      isText: true,
      ask: () => '请发来通知正文（一条消息，约 660 字以内）。',
      async read(_ctx, text) {
        try {
          checkNotice(text)
        } catch (error) {
          if (error instanceof DomainError) return { error: error.message }
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
      async ask(ctx, answers) {
        checkNotice(answers.body as string)
        const unit = (await unitById(ctx.rt.db, Number(answers.unit))) as UnitRow
        const reach = await planReach(ctx.rt, unit)
        const body = answers.body as string
        const importance = importanceOf(ctx, answers, unit.programme)
        // the end, which says how to send it, must be in the chat: a long text is shown by its beginning
        const shown =
          textBytes(body) <= PREVIEW_BYTES ? body : `${[...body].slice(0, 300).join('')}……（全文见上）`
        return [
          '请确认：',
          shown,
          '——',
          `${unit.name}，${answers.category}；发到 ${reach.groups} 个群（${routeWords(reach)}），需要 ${reach.owners} 位群主动手${reach.ownerless > 0 ? `，另有 ${reach.ownerless} 个群没有群主、无法送达` : ''}。`,
          timingWords(ctx, importance),
          `回复“确认”发出，${otherImportances(importance)}改时限，“取消”作废。`,
        ].join('\n')
      },
      async read(_ctx, text) {
        const importance = parseImportance(text)
        if (importance) return { instead: { importance } }
        return /^(确认|确认发出|确认发送|发出|发送|是|好的?)$/.test(text)
          ? { value: 'yes' }
          : { error: '请回复“确认”发出。' }
      },
    },
  ],
  async finish(ctx, answers) {
    const unit = (await unitById(ctx.rt.db, Number(answers.unit))) as UnitRow
    const notice = await issueNotice(ctx.rt, (ctx as KnownContext).actor, {
      unitId: unit.id,
      body: answers.body as string,
      category: answers.category as Category,
      importance: importanceOf(ctx, answers, unit.programme),
    })
    const sent =
      notice.startsAt > ctx.rt.clock.now()
        ? `已排好，${chineseMoment(notice.startsAt)}安静时间过后发出`
        : '已发出'
    return `通知 ${notice.id} ${sent}：${notice.groups} 个群（${routeWords(notice)}），${chineseMoment(notice.deadlineAt)}截止。到时前会提醒还没转的群主；随时发送“回执 ${notice.id}”看进度。`
  },
}

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

function importanceOf(ctx: Context, answers: Answers, programme: string): Importance {
  return (
    (answers.importance as Importance | undefined) ?? defaultImportance(ctx.rt.templates.programme(programme))
  )
}

/** When it is due, and what the hour of writing changes. */
function timingWords(ctx: Context, importance: Importance): string {
  const { name, words, deadline } = importanceRule(importance)
  const now = ctx.rt.clock.now()
  const { startsAt, deadlineAt } = planTiming(ctx.rt, importance)
  const late = isLateForToday(deadline, now) ? '（今天已晚，算明天；今晚就要到请回“紧急”）' : ''
  const quiet = startsAt > now ? `现在是安静时间，${chineseMoment(startsAt)}发出。` : ''
  return `${name}：${late === '' ? `${words}，` : ''}${chineseMoment(deadlineAt)}前传达到群${late}。${quiet}`
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
