import { type UnitRow, unitById, unitsNamed } from '../../db/queries/units.ts'
import { dayOf, monthOf } from '../../server/clock.ts'
import { topUnits } from '../../server/domain/access/policy.ts'
import { dueDayOf } from '../../server/domain/forms/due-day.ts'
import { type FormAsked, fetchForm, whyNoForm } from '../../server/domain/forms/export.ts'
import type { OfficialForm } from '../../server/domain/forms/form.ts'
import { formsOf, officialForms } from '../../server/domain/forms/index.ts'
import { isPeriod, periodToSend, periodWords } from '../../server/domain/forms/periods.ts'
import { planSheetForm } from '../../server/domain/forms/plan-sheet.ts'
import { sendForm } from '../../server/domain/forms/send.ts'
import { makeFile } from '../../server/domain/pages/make-page.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'
import { leave } from '../conversation.ts'
import { beginUnitPlan } from '../conversations/unit-plan.ts'
import { readMonth } from '../words.ts'

const EXAMPLE = '建设计划表'

export const formCommand: Command = {
  name: '报表',
  aliases: ['官方报表'],
  usage: '报表 [名称] [单位] [期间]：官方报表（XLSX）；只发“报表”看有哪些',
  example: `报表 ${EXAMPLE} 2026年`,
  audience: 'manager',
  async run(ctx, input) {
    if (input === '') return ownForms(ctx)
    const asked = await readAsked(ctx, input, '报表')
    if (typeof asked === 'string') return asked
    const { file, fileName } = await fetchForm(ctx.rt, ctx.actor, asked)
    const link = await makeFile(ctx.rt, { personId: ctx.actor.person.id }, fileName, file)
    return [
      `${wordsOf(asked)}，下载：${link}`,
      `核对无误后请回复：报送 ${asked.form.name} ${asked.unit.name}`,
    ].join('\n')
  },
}

export const sendFormCommand: Command = {
  name: '报送',
  aliases: [],
  usage: '报送 报表名称 [单位] [期间]：把报表报给上级，再报就换成新的',
  example: `报送 ${EXAMPLE}`,
  audience: 'manager',
  async run(ctx, input) {
    if (input === '') return ownForms(ctx)
    const asked = await readAsked(ctx, input, '报送')
    if (typeof asked === 'string') return asked
    const sent = await sendForm(ctx.rt, ctx.actor, asked)
    if (!sent.isNew) return `${wordsOf(asked)}已经报过，数没有变，不用再报。`
    const head = `${sent.isReplaced ? '已重新报送' : '已报送'}${wordsOf(asked)}，上级现在看得到。`
    return sent.isOnTime ? head : `${head}（报送日期是 ${sent.dueOn}，算迟报。）`
  },
}

export const planCommand: Command = {
  name: '计划',
  aliases: ['建设计划'],
  usage: '计划 [年]：县区填报建设计划（开什么号、建多少群），去年的可以照用',
  example: '计划 2026年',
  audience: 'manager',
  accepts: (input, isGlued) => !isGlued && /^(?:20\d\d年?|今年|明年)?$/.test(input),
  async run(ctx, input) {
    const counties = topUnits(ctx.templates, ctx.actor).filter(
      unit => unit.programme === planSheetForm.programme && planSheetForm.levels.includes(unit.level),
    )
    const [county] = counties
    if (!county) return '建设计划由县区团委填报，您名下没有县区单位；各县的计划请发：报表 建设计划表 县名'
    const year = Number(monthOf(ctx.rt.clock.now()).slice(0, 4))
    const asked = input === '明年' ? year + 1 : Number(/^20\d\d/.exec(input)?.[0] ?? year)
    await leave(ctx)
    return beginUnitPlan(ctx, county.id, asked)
  },
}

const wordsOf = ({ form, unit, period }: FormAsked) =>
  `${unit.name} ${periodWords(form.rhythm, period)}${form.name}`

/** The forms that one's own units fill in, with what is due. */
async function ownForms(ctx: KnownContext): Promise<string> {
  const now = ctx.rt.clock.now()
  const tops = topUnits(ctx.templates, ctx.actor)
  const lines = await Promise.all(
    tops.flatMap(unit =>
      formsOf(unit).map(async form => {
        const period = periodToSend(form.rhythm, now)
        const due = await dueDayOf(ctx.rt, form, period)
        const by = due === null ? '' : `，${due} 截止${due < dayOf(now) ? '（已过）' : ''}`
        return `${form.name}　${unit.name} ${periodWords(form.rhythm, period)}${by}`
      }),
    ),
  )
  const below = officialForms.filter(form => tops.some(top => top.programme === form.programme))
  if (lines.length === 0 && below.length === 0) return '您名下的单位没有要填报的报表。'
  if (lines.length === 0)
    return `您的单位不用填报表。下级的表：${below.map(form => form.name).join('、')}，请写明单位，如：报表 ${below[0]?.name} 单位名`
  const [first] = lines
  return listReply(
    ctx,
    '您要填报的报表：',
    lines,
    `要看一张，请回复：报表 ${first?.split('　')[0]}；核对后回复：报送 ${first?.split('　')[0]}`,
  )
}

/** A form, a unit and a period from what was typed, in any order; words that ask again otherwise. */
async function readAsked(ctx: KnownContext, input: string, deed: string): Promise<FormAsked | string> {
  const now = ctx.rt.clock.now()
  const programmes = new Set(topUnits(ctx.templates, ctx.actor).map(unit => unit.programme))
  const mine = officialForms.filter(form => programmes.has(form.programme))
  const words = input.split(/[\s,，、的]+/).filter(word => word !== '')
  const { forms, rest } = namedForms(ctx, mine, words)
  const [form, ...others] = forms
  if (!form)
    return `没有认出是哪张报表。请写名称，如：${deed} ${mine[0]?.name ?? EXAMPLE}。有：${mine.map(each => each.name).join('、')}`
  if (others.length > 0) return `“${input}”可能是：${forms.map(each => each.name).join('、')}，请写全名称。`
  const read = rest.map(word => ({ word, period: readPeriod(form, word, now) }))
  const period = read.find(each => each.period !== null)?.period ?? periodToSend(form.rhythm, now)
  const name = read.find(each => each.period === null)?.word
  const units = await unitsOf(ctx, form, name)
  const [unit] = units
  if (!unit)
    return name === undefined
      ? `您名下没有填${form.name}的单位。`
      : `您管的单位里没有填${form.name}的“${name}”。请写单位全名，如：${deed} ${form.name} 榆阳区`
  if (units.length > 1)
    return `请写明单位，如：${deed} ${form.name} ${unit.name}。可选：${units.map(each => each.name).join('、')}`
  const why = whyNoForm(ctx.templates, { form, unit, period }, now)
  return why ?? { form, unit, period }
}

/** Forms that the words name, whole or in part of their name or title; the rest of the words are something else. */
function namedForms(
  { templates }: KnownContext,
  forms: readonly OfficialForm[],
  words: readonly string[],
): { forms: OfficialForm[]; rest: string[] } {
  for (const word of words) {
    const rest = words.filter(each => each !== word)
    const exact = forms.filter(form => form.name === word || templates.formBasics(form.id).title === word)
    if (exact.length > 0) return { forms: exact, rest }
    if ([...word].length < 2) continue
    const part = forms.filter(
      form => form.name.includes(word) || templates.formBasics(form.id).title.includes(word),
    )
    if (part.length > 0) return { forms: part, rest }
  }
  return { forms: [], rest: [...words] }
}

/** `2026`, 2026年, 今年, 去年 for a yearly form; a month for the others. */
function readPeriod(form: OfficialForm, word: string, now: Date): string | null {
  const month = monthOf(now)
  if (form.rhythm !== 'year') {
    const read = readMonth(word, month)
    return read !== null && isPeriod(form.rhythm, read, now) ? read : null
  }
  const year = Number(month.slice(0, 4))
  const said: Record<string, number> = { 今年: year, 本年: year, 去年: year - 1 }
  return said[word] !== undefined ? String(said[word]) : (/^(20\d\d)年?(?:度)?$/.exec(word)?.[1] ?? null)
}

/** The units that have the form: one's own, or those below whose name holds `name`. */
async function unitsOf(ctx: KnownContext, form: OfficialForm, name: string | undefined): Promise<UnitRow[]> {
  const tops = topUnits(ctx.templates, ctx.actor).filter(unit => unit.programme === form.programme)
  const own = tops.filter(top => form.levels.includes(top.level))
  const found = new Map<number, UnitRow>()
  if (name === undefined) {
    for (const top of own) {
      const unit = await unitById(ctx.rt.db, top.id)
      if (unit) found.set(unit.id, unit)
    }
    return [...found.values()]
  }
  for (const top of tops)
    for (const unit of await unitsNamed(ctx.rt.db, top.path, name))
      if (form.levels.includes(unit.level)) found.set(unit.id, unit)
  const exact = [...found.values()].filter(unit => unit.name === name)
  return exact.length > 0 ? exact : [...found.values()]
}
