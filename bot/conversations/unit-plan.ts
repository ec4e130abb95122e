import { unitById } from '../../db/queries/units.ts'
import { accountNaming, obeysNaming } from '../../server/domain/forms/account-name.ts'
import {
  ACCOUNT_KINDS,
  type AccountKind,
  accountKindWords,
  PLAN_NUMBERS,
  type UnitPlan,
} from '../../server/domain/forms/plan-fields.ts'
import { planSheetForm } from '../../server/domain/forms/plan-sheet.ts'
import { offerPlan, writePlan } from '../../server/domain/forms/write-plan.ts'
import type { Context, KnownContext } from '../context.ts'
import { type Answers, advance, type Conversation } from '../conversation.ts'

const NOT_SAID = '-'
const SAME = /^(不变|一样|照旧|和去年一样)$/
const MAX_TEXT = 100

/** A county says what it plans to build in a year, one question at a time; one word takes what was said last. */
export const unitPlanConversation: Conversation = {
  name: 'unit-plan',
  title: '计划',
  version: 1,
  fields: [
    {
      name: 'account',
      async ask(ctx, answers) {
        const { plan, writtenAt, offeredFrom } = await offered(ctx, answers)
        const head = `${await unitName(ctx, answers)} ${answers.year}年建设计划（县乡两级微信体系建设计划表）。`
        const last =
          writtenAt === null && offeredFrom === null
            ? ''
            : `${offeredFrom === null ? '已经填过' : `${offeredFrom}年填的是`}：${planWords(ctx, plan)}。都不用改，请回“不变”。`
        return [
          head,
          ...(last === '' ? [] : [last]),
          '准备开通订阅号还是服务号？请回：订阅号、服务号、不开，或没定',
        ].join('\n')
      },
      async read(ctx, text, answers) {
        if (SAME.test(text)) {
          const { plan, writtenAt, offeredFrom } = await offered(ctx, answers)
          if (writtenAt === null && offeredFrom === null)
            return { error: '以前没有填过，请回：订阅号、服务号、不开，或没定。' }
          return { value: plan.account ?? NOT_SAID, also: answersOf(plan) }
        }
        const kind = ACCOUNT_KINDS.find(([, words]) => text.includes(words))?.[0]
        if (kind) return { value: kind }
        if (/^(不开|不开通|否|没有|不)$/.test(text)) return { value: 'none' }
        return /^(没定|未定|还没定|-)$/.test(text)
          ? { value: NOT_SAID }
          : { error: '请回：订阅号、服务号、不开，或没定。' }
      },
    },
    {
      name: 'accountName',
      isNeeded: ({ account }) => account !== 'none' && account !== NOT_SAID,
      ask(ctx) {
        const rule = accountNaming(ctx.templates, planSheetForm.programme)
        return `准备叫什么名字？${rule ? `统一叫“青农XX”，如：${rule.example}。` : ''}没定请回 ${NOT_SAID}`
      },
      read: async (_ctx, text) => short(text),
    },
    {
      name: 'numbers',
      ask: ctx =>
        `准备建多少个群？请依次写六个数，没定的写 ${NOT_SAID}：\n${PLAN_NUMBERS.map(name => labels(ctx)[name]).join('、')}\n如：2 1 40 4 3 20`,
      async read(_ctx, text) {
        const words = text.split(/[\s,，、]+/).filter(word => word !== '')
        const isGood = words.every(word => word === NOT_SAID || /^\d{1,5}$/.test(word))
        return words.length === PLAN_NUMBERS.length && isGood
          ? { value: words.join(' ') }
          : { error: `请写六个数，用空格分开，没定的写 ${NOT_SAID}，如：2 1 40 4 3 -` }
      },
    },
    {
      name: 'lead',
      ask: () => `区县微信负责人是谁？没定请回 ${NOT_SAID}`,
      read: async (_ctx, text) => short(text),
    },
    {
      name: 'contact',
      ask: () => `管理员姓名及联系方式？如：张三 13900000000（加密保存）。没定请回 ${NOT_SAID}`,
      read: async (_ctx, text) => short(text),
    },
  ],
  async finish(ctx, answers) {
    const unit = await unitById(ctx.rt.db, Number(answers.unit))
    if (!unit) throw new Error('a plan of a unit that is gone')
    const plan = planOf(answers)
    const { isChange } = await writePlan(ctx.rt, (ctx as KnownContext).actor, {
      unit,
      year: Number(answers.year),
      plan,
    })
    const isBad = plan.accountName !== '' && !obeysNaming(ctx.templates, unit.programme, plan.accountName)
    return [
      `${isChange ? '已填报' : '和已填的一样'}：${unit.name} ${answers.year}年建设计划，${planWords(ctx, plan)}。`,
      ...(isBad ? [`名称“${plan.accountName}”不合命名规则（统一为“青农XX”），正式开通前请改。`] : []),
      `看表请回复：报表 ${planSheetForm.name} ${answers.year}年；报给上级请回复：报送 ${planSheetForm.name} ${answers.year}年`,
    ].join('\n')
  },
}

/** Begins the plan of a county for a year. */
export function beginUnitPlan(ctx: Context, unitId: number, year: number): Promise<string> {
  return advance(ctx, unitPlanConversation, { unit: String(unitId), year: String(year) })
}

const labels = (ctx: Context) => ctx.templates.freeForm(planSheetForm.id).labels

const offered = (ctx: Context, answers: Answers) =>
  offerPlan(ctx.rt, Number(answers.unit), Number(answers.year))

async function unitName(ctx: Context, answers: Answers): Promise<string> {
  return (await unitById(ctx.rt.db, Number(answers.unit)))?.name ?? ''
}

function short(text: string): { value: string } | { error: string } {
  const value = text.trim()
  return [...value].length <= MAX_TEXT ? { value } : { error: `请在 ${MAX_TEXT} 字以内。` }
}

const said = (text: string | undefined) => (text === undefined || text === NOT_SAID ? '' : text)

/** Answers to all questions from a plan. */
function answersOf(plan: UnitPlan): Answers {
  return {
    accountName: plan.accountName || NOT_SAID,
    numbers: PLAN_NUMBERS.map(name => plan.numbers[name] ?? NOT_SAID).join(' '),
    lead: plan.lead || NOT_SAID,
    contact: plan.contact || NOT_SAID,
  }
}

function planOf(answers: Answers): UnitPlan {
  const numbers = (answers.numbers ?? '').split(' ')
  const account = said(answers.account)
  return {
    numbers: Object.fromEntries(
      PLAN_NUMBERS.map((name, at) => [name, said(numbers[at]) === '' ? null : Number(numbers[at])]),
    ) as UnitPlan['numbers'],
    account: account === '' ? null : (account as AccountKind | 'none'),
    accountName: said(answers.accountName),
    lead: said(answers.lead),
    contact: said(answers.contact),
  }
}

/** What is planned, without anybody's number. */
function planWords(ctx: Context, { account, accountName, numbers }: UnitPlan): string {
  const groups = PLAN_NUMBERS.filter(name => numbers[name] !== null).map(
    name => `${labels(ctx)[name]?.replace(/^拟建|数量$/g, '')} ${numbers[name]}`,
  )
  const opens =
    account === null
      ? '公共号没定'
      : account === 'none'
        ? '不开公共号'
        : `开${accountKindWords(account)}${accountName === '' ? '' : `“${accountName}”`}`
  return [opens, ...groups].join('，')
}
