import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { chineseMoment } from '../../server/clock.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import { CATEGORIES, type Category, parseCategory } from '../../server/domain/messages/categories.ts'
import { classifyMessage } from '../../server/domain/messages/classify.ts'
import { shippedClassifier } from '../../server/domain/messages/shipped.ts'
import { checkNotice, issueNotice, planReach, type Reach } from '../../server/domain/notices/issue.ts'
import { type Route, routeNames } from '../../server/domain/notices/routes.ts'
import { DomainError } from '../../server/errors.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readNumber } from '../words.ts'

/** Asks text and category, shows whom it reaches, and sends after a second word. */
export const noticeConversation: Conversation = {
  name: 'notice',
  version: 1,
  fields: [
    {
      name: 'body',
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
        const roles = managingRoles(ctx.rt.templates, ctx.actor)
        return `以哪个单位的名义？${roles.map((role, index) => `${index + 1} ${role.unitName}`).join('、')}（回复数字）`
      },
      async read(ctx, text) {
        const role = managingRoles(ctx.rt.templates, ctx.actor)[(readNumber(text) ?? 0) - 1]
        return role ? { value: String(role.unitId) } : { error: '请回复单位前面的数字。' }
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
        return [
          '请确认：',
          answers.body as string,
          '——',
          `${unit.name}，${answers.category}；发到 ${reach.groups} 个群（${routeWords(reach)}），需要 ${reach.owners} 位群主动手${reach.ownerless > 0 ? `，另有 ${reach.ownerless} 个群没有群主、无法送达` : ''}；24 小时内完成。`,
          '回复“确认”发出，“取消”作废。',
        ].join('\n')
      },
      read: async (_ctx, text) =>
        /^(确认|发出|发送|是)$/.test(text) ? { value: 'yes' } : { error: '请回复“确认”发出。' },
    },
  ],
  async finish(ctx, answers) {
    const notice = await issueNotice(ctx.rt, (ctx as KnownContext).actor, {
      unitId: Number(answers.unit),
      body: answers.body as string,
      category: answers.category as Category,
    })
    return `通知 ${notice.id} 已发出：${notice.groups} 个群（${routeWords(notice)}），${chineseMoment(notice.deadlineAt)}截止。到时前会提醒还没转的群主；随时发送“回执 ${notice.id}”看进度。`
  },
}

/** The unit when there is only one to choose from, so that it is not asked. */
export function soleUnit(ctx: Context): Answers {
  const roles = managingRoles(ctx.rt.templates, ctx.actor)
  const units = [...new Set(roles.map(role => role.unitId))]
  return units.length === 1 ? { unit: String(units[0]) } : {}
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
