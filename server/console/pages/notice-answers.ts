import { z } from 'zod'
import {
  type Answerer,
  type AnswerTally,
  answerersOfUnits,
  answersOfUnit,
  answersOfUnits,
  answerTallies,
  type UnitAnswer,
  unitNames,
} from '../../../db/queries/notice-answers.ts'
import { type NoticeInView, noticeAnswerPolicy, noticePolicy } from '../../domain/access/notices.ts'
import { managesUnit } from '../../domain/actor.ts'
import { managingPairs } from '../../domain/groups/managers.ts'
import { takeAnswerFile } from '../../domain/notices/answers.ts'
import { exportAnswers } from '../../domain/notices/export-answers.ts'
import { answerHint } from '../../domain/notices/read-answer.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { emptyState, figure, moment, pager, progress, table, tag } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { sendWorkbook } from '../send-workbook.ts'
import { callTag, scopeOf } from './notices.ts'

const PAGE_SIZE = 50
/** Units below one that are listed with their sums. */
const CHILDREN = 200
const shows = ['unanswered', 'answered'] as const
const asked = z.object({
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
  show: z.enum(shows).catch('unanswered'),
  history: z.string().max(15).catch(''),
})

/** `GET /console/notices/:noticeId/answers`: what the units have answered, added up unit by unit upward. */
export function noticeAnswerPages(routes: Routes): void {
  routes.get('/console/notices/:noticeId/answers', noticePolicy, answersPage)

  routes.get('/console/notices/:noticeId/answers.xlsx', noticePolicy, async view => {
    const { top } = await scopeOf(view)
    return sendWorkbook(view, await exportAnswers(view.rt, view.viewer.actor, view.thing, top))
  })

  routes.get('/console/notice-answers/:answerId/file', noticeAnswerPolicy, async view => {
    const file = await takeAnswerFile(view.rt, view.viewer.actor, view.thing)
    if (!file) throw new NotFound()
    return view.reply
      .type(file.mime)
      .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`)
      .send(file.bytes)
  })
}

async function answersPage(view: View<NoticeInView>): Promise<Html> {
  const { rt, thing: notice } = view
  const { ask } = notice
  const above: [string, string][] = [
    ['通知', '/console/notices'],
    [`通知 ${notice.id}`, `/console/notices/${notice.id}`],
  ]
  if (ask === null)
    return page(view, {
      title: '答复',
      part: 'notices',
      above,
      body: emptyState('这个通知没有要各单位答复。'),
    })
  const { page: number, show, history } = view.read(asked)
  const now = rt.clock.now()
  const { top, query, above: between } = await scopeOf(view)
  const [tallies, rows] = await Promise.all([
    answerTallies(rt.db, notice.id, top.path, ask.choices?.length ?? 0),
    answersOfUnits(rt.db, notice.id, top.path, show, {
      limit: PAGE_SIZE + 1,
      offset: (number - 1) * PAGE_SIZE,
    }),
  ])
  const shown = rows.slice(0, PAGE_SIZE)
  const callable =
    show === 'unanswered'
      ? await answerersOfUnits(
          rt.db,
          notice.id,
          shown.map(row => row.unitId),
          managingPairs(rt.templates),
          now,
        )
      : []
  const earlier = show === 'answered' ? await historyOf(view, history, shown, now) : ''
  const all = tallies.find(tally => tally.of.kind === 'all')
  const own = `/console/notices/${notice.id}/answers`
  const isPart = 'unit' in query
  const open = (all?.units ?? 0) - (all?.answered ?? 0)
  const mayAskAgain =
    open > 0 && notice.withdrawnAt === null && managesUnit(rt.templates, view.viewer.actor, top.path)
  return page(view, {
    title: isPart ? `${top.name}的答复` : '答复',
    part: 'notices',
    above: [
      ...above,
      ...(isPart ? [['答复', own] as [string, string]] : []),
      ...between.slice(1).map(({ id, name }): [string, string] => [name, `${own}?unit=${id}`]),
    ],
    body: html`<section class="card"><h2>${ask.question}</h2><p class="soft">${answerHint(ask)} · ${moment(notice.deadlineAt, now)}截止</p>
${all ? html`<p class="big-progress">${progress(all.answered, all.units, '答复了的单位')} ${open === 0 ? tag('都答了', 'good') : tag(`${open} 个单位没答`, notice.deadlineAt < now ? 'bad' : 'wait')}</p>${sums(view, all)}` : emptyState('您负责的单位不在这个通知的范围内。')}
<div class="deeds">${mayAskAgain ? html`<a class="button" href="/console/notices/new?unanswered=${notice.id}&amp;unit=${top.id}">请没有答的单位再报</a>` : ''}<a class="button second" href="/console/notices/${notice.id}/answers.xlsx${isPart ? `?unit=${top.id}` : ''}">导出答复</a></div></section>
${childrenTable(view, tallies, await namesOf(view, tallies), top)}
<h2 id="units">${showWords[show]}</h2>
<nav class="tabs" aria-label="看哪些单位">${shows.map(
      each =>
        html`<a href="${own}?${new URLSearchParams({ ...query, show: each })}#units"${each === show ? html` aria-current="page"` : ''}>${showWords[each]} ${each === 'answered' ? (all?.answered ?? 0) : open}</a>`,
    )}</nav>
${earlier}
${show === 'answered' ? answeredTable(view, shown, query, number, now) : unansweredTable(view, shown, callable, number)}
${pager(own, { ...query, show }, number, rows.length > PAGE_SIZE)}
<p class="soft">导出和下载会记入操作留痕。</p>`,
  })
}

const showWords: Record<(typeof shows)[number], string> = {
  unanswered: '没有答的单位',
  answered: '答了的单位',
}

/** The numbers added up, or how many chose what. */
function sums({ thing: { ask } }: View<NoticeInView>, all: AnswerTally): Html {
  if (ask?.kind === 'number')
    return html`<div class="figures">${figure(sumWords(all.sum), `合计${ask.measure ? `（${ask.measure}）` : ''}`)}${figure(average(all), '平均每个单位')}</div>`
  if (ask?.kind === 'choice')
    return html`<div class="figures">${(ask.choices ?? []).map((choice, index) => figure(all.chosen[index] ?? 0, choice))}</div>`
  return html``
}

/** Digits in groups of three; at most two decimals. */
function sumWords(sum: number | null): string {
  return sum === null ? '—' : sum.toLocaleString('zh-CN', { maximumFractionDigits: 2 })
}

function average({ sum, answered }: AnswerTally): string {
  return sum === null || answered === 0 ? '—' : sumWords(sum / answered)
}

async function namesOf(view: View<NoticeInView>, tallies: AnswerTally[]): Promise<Map<number, string>> {
  const ids = tallies.flatMap(({ of }) => (of.kind === 'child' && of.unitId !== null ? [of.unitId] : []))
  return unitNames(view.rt.db, ids)
}

/** The units right below with the sums of all below them, and the levels. */
function childrenTable(
  { rt, thing: notice }: View<NoticeInView>,
  tallies: AnswerTally[],
  names: Map<number, string>,
  top: { id: number; name: string },
): Html {
  const { ask } = notice
  const own = `/console/notices/${notice.id}/answers`
  const heads = [
    '答复',
    ...(ask?.kind === 'number'
      ? [{ name: `合计${ask.measure ? `（${ask.measure}）` : ''}`, isNumber: true }]
      : []),
    ...(ask?.kind === 'choice' ? (ask.choices ?? []).map(name => ({ name, isNumber: true })) : []),
  ]
  const cells = (tally: AnswerTally, name: string) =>
    html`<td>${progress(tally.answered, tally.units, `${name}答复了的单位`)}</td>${ask?.kind === 'number' ? html`<td class="number">${sumWords(tally.sum)}</td>` : ''}${ask?.kind === 'choice' ? tally.chosen.map(count => html`<td class="number">${count}</td>`) : ''}`
  const children = tallies
    .filter(tally => tally.of.kind === 'child')
    .sort((a, b) => b.units - b.answered - (a.units - a.answered))
  const levels = rt.templates.programme(notice.programme).levels.flatMap(level => {
    const tally = tallies.find(each => each.of.kind === 'level' && each.of.level === level.id)
    return tally ? [{ name: level.name, tally }] : []
  })
  const isTopAlone = children.every(({ of }) => of.kind === 'child' && of.unitId === null)
  return html`${
    isTopAlone
      ? ''
      : html`<h2>逐级合计</h2>${table(
          '各单位及下级的合计',
          ['单位（含下级）', ...heads],
          children.slice(0, CHILDREN).map(tally => {
            const id = tally.of.kind === 'child' ? tally.of.unitId : null
            const name = id === null ? `${top.name}本级` : (names.get(id) ?? '')
            return html`<tr><td>${id === null ? name : html`<a href="${own}?unit=${id}">${name}</a>`}</td>${cells(tally, name)}</tr>`
          }),
          '',
        )}`
  }
${
  levels.length > 1
    ? table(
        '各级的答复',
        ['层级', ...heads],
        levels.map(({ name, tally }) => html`<tr><td>${name}</td>${cells(tally, name)}</tr>`),
        '',
      )
    : ''
}`
}

function answeredTable(
  view: View<NoticeInView>,
  rows: UnitAnswer[],
  query: Record<string, string>,
  number: number,
  now: Date,
): Html {
  const { rt, thing: notice } = view
  return table(
    '答了的单位',
    ['单位', '答复', '谁答的', '时间'],
    rows.map(({ unitId, unitName, answer }) => {
      if (!answer) return html``
      const text = rt.vault.open(answer.sealed)
      const late = answer.at > notice.deadlineAt ? tag('过期才答', 'wait') : ''
      const more = new URLSearchParams({
        ...query,
        show: 'answered',
        page: String(number),
        history: String(unitId),
      })
      const changed =
        answer.before > 0
          ? html` <a href="/console/notices/${notice.id}/answers?${more}#history">改过 ${answer.before} 次</a>`
          : ''
      return html`<tr><td>${unitName}</td><td class="words">${answer.fileId === null ? html`<span class="prose">${text}${notice.ask?.measure ?? ''}</span>` : html`<a href="/console/notice-answers/${answer.id}/file">${answer.fileName ?? text}</a>`}</td><td>${answer.by}<span class="soft">${standingWords(answer.standing)}</span></td><td>${moment(answer.at, now)} ${late}${changed}</td></tr>`
    }),
    number > 1 ? '后面没有了。' : '还没有单位答复。',
  )
}

const standingWords = (standing: string) => (standing === 'manager' ? '（负责同志）' : '（群主）')

/** What a unit has answered before: nothing is lost when somebody corrects themselves. */
async function historyOf(
  view: View<NoticeInView>,
  written: string,
  rows: UnitAnswer[],
  now: Date,
): Promise<Html | string> {
  const unit = rows.find(row => String(row.unitId) === written)
  if (!unit) return ''
  const answers = await answersOfUnit(view.rt.db, view.thing.id, unit.unitId)
  return html`<section class="card" id="history"><h3>${unit.unitName}答过的</h3><ul class="plain">${answers.map(
    answer =>
      html`<li>${view.rt.vault.open(answer.sealed)}${view.thing.ask?.measure ?? ''} <span class="soft">${answer.by}${standingWords(answer.standing)}，${moment(answer.at, now)}</span> ${answer.replacedAt ? tag('已被后来的代替') : tag('现在算数', 'good')}</li>`,
  )}</ul></section>`
}

function unansweredTable(
  { rt, thing: notice }: View<NoticeInView>,
  rows: UnitAnswer[],
  callable: Answerer[],
  number: number,
): Html {
  const levels = new Map(rt.templates.programme(notice.programme).levels.map(each => [each.id, each.name]))
  return table(
    '没有答的单位',
    ['单位', '层级', '可以找谁'],
    rows.map(row => {
      const who = callable.filter(each => each.unitId === row.unitId).slice(0, 5)
      return html`<tr><td><a href="/console/units/${row.unitId}">${row.unitName}</a></td><td class="nowrap">${levels.get(row.level) ?? row.level}</td><td>${
        who.length === 0
          ? tag('没有群主，也没有负责同志，请先指定', 'bad')
          : who.map(
              each =>
                html`<div>${each.role === null ? '群主' : (each.title ?? rt.templates.role(each.programme, each.role).name)}${each.name} ${callTag(each)}</div>`,
            )
      }</td></tr>`
    }),
    number > 1 ? '后面没有了。' : '都答了。',
  )
}
