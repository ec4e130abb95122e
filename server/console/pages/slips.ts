import type { MultipartFile } from '@fastify/multipart'
import { z } from 'zod'
import { openClaimsFor } from '../../../db/queries/alert-verdicts.ts'
import {
  additionsBelow,
  filesOfSlip,
  type OfficeFigures,
  officeFigures,
  placesOf,
  type SlipListState,
  type SlipRow,
  type SlipStepRow,
  slipsCopiedTo,
  slipsOfOffices,
  slipsOfReporter,
  stepsOfSlip,
} from '../../../db/queries/slips.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { ownSlipPolicy, type SlipInView, slipPolicy, slipToAnswerPolicy } from '../../domain/access/slips.ts'
import { managingRoles, runsVeryUnit } from '../../domain/actor.ts'
import { questionWords, reportDanger } from '../../domain/danger/report.ts'
import { firstWords as dangerWords, speaksOfDanger } from '../../domain/danger/rules.ts'
import { addToSlip, answerSlip, closeSlip, mergeSlips, raiseSlip } from '../../domain/slips/deal.ts'
import { addPicture, pictureOf, seesFile } from '../../domain/slips/files.ts'
import { contactsFor, markOf, officesOf, readersOf } from '../../domain/slips/offices.ts'
import { slipKind, slipRules } from '../../domain/slips/rules.ts'
import { checkSlip, placeOfSlip, sendSlip } from '../../domain/slips/send-up.ts'
import { spreadPractice } from '../../domain/slips/spread.ts'
import { nameFor } from '../../domain/slips/tell.ts'
import { dueOf, HOUR_MS } from '../../domain/slips/timing.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import {
  agoWords,
  deed,
  emptyState,
  moment,
  momentWords,
  pager,
  select,
  type Tone,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { dangerQuestion } from './danger.ts'
import { claimButton } from './false-alarms.ts'

const PAGE_SIZE = 30
const MOST_CLAIMS = 99
/** What was sent up earlier is in no figure. */
const FIGURE_DAYS = 365

const stateWords: Record<string, [words: string, tone: Tone]> = {
  open: ['待答复', 'wait'],
  answered: ['已答复', 'good'],
  closed: ['已办结', 'quiet'],
  merged: ['已合并办理', 'quiet'],
}
const stepWords: Record<string, string> = {
  sent: '送出，由{office}办理',
  added: '补充',
  answered: '{office}答复',
  raised: '升到{office}',
  merged: '合并办理',
  leads: '并入的那件已结束或上送，这件接着由{office}办理',
  late: '到时没有答复，再次请{office}办理',
  closed: '办结',
  told_group: '请人转告群里',
  group_failed: '没有发进群，也没有人能转告',
  group_relayed: '没有发进群，已改请群主转发',
  spread: '作为经验做法推广',
}

/**
 * What is sent up (上报): `/me/slips` for who writes it, `/console/slips` for the offices that answer. Nobody else reads
 * any of it; lists of other offices hold numbers only.
 */
export function slipPages(routes: Routes): void {
  routes.get('/console/slips', 'manager', listPage)
  routes.get('/console/slips/:slipId', slipPolicy, view => slipPage(view))
  routes.get('/console/slips/:slipId/pictures/:pictureId', slipPolicy, sendPicture)
  routes.post('/console/slips/:slipId/answer', slipToAnswerPolicy, async view => {
    const { text, group, sure } = view.read(
      z.object({ text: z.string().catch(''), group: z.string().catch(''), sure: z.string().catch('') }),
    )
    return orSay(
      view,
      async () => {
        const input = { slipId: view.thing.id, text, tellGroup: group !== '', isSure: sure !== '' }
        await answerSlip(view.rt, view.viewer.actor, input)
        return view.goTo(`/console/slips/${view.thing.id}`, '已答复，已发给本人。')
      },
      { text, group: group !== '' },
    )
  })
  routes.post('/console/slips/:slipId/raise', slipToAnswerPolicy, view =>
    orSay(view, async () => {
      await raiseSlip(view.rt, view.viewer.actor, view.thing.id)
      return view.goTo('/console/slips', `上报 ${view.thing.id} 已转请上级办理。`)
    }),
  )
  routes.post('/console/slips/:slipId/close', slipToAnswerPolicy, view =>
    orSay(view, async () => {
      await closeSlip(view.rt, view.viewer.actor, view.thing.id)
      return view.goTo(`/console/slips/${view.thing.id}`, '已办结，本人会收到。')
    }),
  )
  routes.post('/console/slips/:slipId/spread', slipToAnswerPolicy, view =>
    orSay(view, async () => {
      const draftId = await spreadPractice(view.rt, view.viewer.actor, view.thing.id)
      return view.goTo(`/console/notices/drafts/${draftId}`, '已写成通知草稿，改好后发给各群。')
    }),
  )
  routes.post('/console/slips/:slipId/merge', slipToAnswerPolicy, view =>
    orSay(view, async () => {
      const { from } = view.read(z.object({ from: z.string().max(200).catch('') }))
      const ids = (from.match(/\d{1,9}/g) ?? []).map(Number)
      const count = await mergeSlips(view.rt, view.viewer.actor, { into: view.thing.id, from: ids })
      return view.goTo(`/console/slips/${view.thing.id}`, `已合并，现在有 ${count} 人反映同一件事。`)
    }),
  )

  routes.get('/me/slips', 'person', ownListPage)
  routes.get('/me/slips/new', 'person', view => writingPage(view, readDraft(view)))
  // back from the preview, with what was written
  routes.post('/me/slips/new', 'person', view => writingPage(view, readDraft(view)))
  routes.post('/me/slips/preview', 'person', async view => {
    const draft = readDraft(view)
    const help = await callForHelp(view, draft.body)
    try {
      return await previewPage(view, draft, null, help)
    } catch (error) {
      return refused(view, error, fault => writingPage(view, draft, fault))
    }
  })
  routes.post('/me/slips', 'person', async view => {
    const draft = readDraft(view)
    try {
      const input = { ...(await inputOf(view, draft)), shown: draft.shown }
      const { id, officeName } = await sendSlip(view.rt, view.viewer.actor, input)
      return view.goTo(`/me/slips/${id}`, `已送到${officeName}。有答复会发给您，这里也能看到。`)
    } catch (error) {
      if (error instanceof DomainError && error.code === 'slip.changed')
        return refused(view, error, fault => previewPage(view, draft, fault))
      return refused(view, error, fault => writingPage(view, draft, fault))
    }
  })
  routes.get('/me/slips/:slipId', ownSlipPolicy, view => slipPage(view))
  routes.post('/me/slips/:slipId/add', ownSlipPolicy, async view => {
    const { text } = view.read(z.object({ text: z.string().catch('') }))
    return orSay(
      view,
      async () => {
        await callForHelp(view, text)
        await addToSlip(view.rt, view.viewer.actor, { slipId: view.thing.id, text })
        return view.goTo(`/me/slips/${view.thing.id}`, '已补充。')
      },
      { text },
    )
  })
  routes.post('/me/slips/:slipId/raise', ownSlipPolicy, view =>
    orSay(view, async () => {
      const { office, isAnew } = await raiseSlip(view.rt, view.viewer.actor, view.thing.id)
      const words = isAnew ? `已请${office.name}重新办理。` : `已送到上一级，现在由${office.name}办理。`
      return view.goTo(`/me/slips/${view.thing.id}`, words)
    }),
  )
  routes.post('/me/slips/:slipId/close', ownSlipPolicy, view =>
    orSay(view, async () => {
      await closeSlip(view.rt, view.viewer.actor, view.thing.id)
      return view.goTo(`/me/slips/${view.thing.id}`, '已办结，谢谢。')
    }),
  )
}

/** The pages that take pictures. */
export function slipPicturePages(routes: Routes): void {
  routes.post('/me/slips/:slipId/pictures', ownSlipPolicy, view =>
    orSay(view, async () => {
      const part = ((view.request.body ?? {}) as Record<string, unknown>).picture as
        | Partial<MultipartFile>
        | undefined
      if (typeof part?.toBuffer !== 'function') throw new DomainError('slip.picture', '请选一张图片。')
      await addPicture(view.rt, view.thing, await part.toBuffer())
      return view.goTo(`/me/slips/${view.thing.id}`, '图片已放上。')
    }),
  )
}

/**
 * Where somebody is in danger help is called at once, whatever becomes of the slip.
 * @returns what to say: the numbers to call, and who was told or the question whether anybody is; null: nobody is in danger
 */
async function callForHelp(view: View<unknown>, text: string): Promise<Html | null> {
  const { actor } = view.viewer
  if (!speaksOfDanger(text)) return null
  if (actor.identityId === 0) return dangerNumbers(text)
  const report = await inTransaction(view.rt, tx => reportDanger(tx, actor, text))
  const words = html`<p class="fault" role="alert">${report.numbers}
${report.done ?? questionWords(report, 'button')}</p>`
  return report.done === null ? html`${words}${dangerQuestion(view)}` : words
}

function dangerNumbers(text: string): Html {
  return speaksOfDanger(text) ? html`<p class="fault" role="alert">${dangerWords(text)}</p>` : html``
}

interface Written {
  text: string
  group?: boolean
}

/** Shows the slip again with its fault and what was written. */
async function orSay<Thing extends SlipInView>(
  view: View<Thing>,
  work: () => Promise<ReturnType<View<Thing>['goTo']>>,
  written: Written = { text: '' },
) {
  try {
    return await work()
  } catch (error) {
    return refused(view, error, fault =>
      slipPage(view, fault, written, error instanceof DomainError && error.code === 'slip.privacy'),
    )
  }
}

function refused(
  view: View<unknown>,
  error: unknown,
  again: (fault: string) => Promise<Html>,
): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  view.reply.code(422)
  view.remedy = claimButton(view, error)
  return again(error.message)
}

// for offices

const listQuery = z.object({
  state: z.enum(['open', 'answered', 'ended']).catch('open'),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const lists: [state: SlipListState, words: string][] = [
  ['open', '待答复'],
  ['answered', '已答复'],
  ['ended', '办结的'],
]

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { state, page: number } = view.read(listQuery)
  const now = rt.clock.now()
  const offices = [...new Set(managingRoles(rt.templates, viewer.actor).map(role => role.unitId))]
  const tops = topUnits(rt.templates, viewer.actor).map(top => top.path)
  const over = new Date(now.getTime() - slipRules.overdue.days * 24 * HOUR_MS)
  const [found, figures, claims] = await Promise.all([
    slipsOfOffices(rt.db, offices, state, { limit: PAGE_SIZE + 1, offset: (number - 1) * PAGE_SIZE }),
    officeFigures(rt.db, tops, { over, since: new Date(now.getTime() - FIGURE_DAYS * 24 * HOUR_MS) }),
    openClaimsFor(rt.db, viewer.actor.person.id, offices, MOST_CLAIMS).then(all => all.length),
  ])
  return page(view, {
    title: '上报',
    part: 'slips',
    body: html`<p class="soft">送到您这一级的上报。内容只有本人和办理过的单位看得到。</p>
<p><a href="/console/danger">求助</a>　<a href="/console/false-alarms">被拦下的话${claims > 0 ? `（${claims} 条请您看）` : ''}</a></p>
<nav class="tabs" aria-label="分类">${lists.map(
      ([id, words]) =>
        html`<a href="/console/slips?state=${id}"${id === state ? html` aria-current="page"` : ''}>${words}</a> `,
    )}</nav>
${
  found.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : state === 'open' ? '没有等您答复的上报。' : '没有。')
    : html`<div class="card"><ul class="plain">${found.slice(0, PAGE_SIZE).map(
        slip =>
          html`<li class="listed-notice"><a href="/console/slips/${slip.id}">${slipKind(slip.kind).name}：${firstWords(rt.vault.open(slip.bodySealed))}</a>
<span class="soft">上报 ${slip.id} · ${slip.unitName} · ${moment(slip.createdAt, now)}${slip.likeCount > 0 ? ` · 共 ${slip.likeCount + 1} 人反映` : ''}</span>
<span class="deeds-line">${offices.includes(slip.officeId) ? html`${stateTag(slip.status)} ${dueTag(slip, now)}` : tag('已转上级', 'quiet')}</span></li>`,
      )}</ul></div>`
}
${pager('/console/slips', { state }, number, found.length > PAGE_SIZE)}
<h2>各单位办理情况（近一年）</h2>
${figuresTable(figures, now)}`,
  })
}

function figuresTable(figures: OfficeFigures[], now: Date): Html {
  const hours = (value: number | null) => (value === null ? '—' : agoWords(value * HOUR_MS))
  return table(
    '各单位办理情况',
    [
      '单位',
      { name: '未办结', isNumber: true },
      { name: `超过 ${slipRules.overdue.days} 天`, isNumber: true },
      '最久',
      { name: '办结', isNumber: true },
      { name: '到时未答升级', isNumber: true },
      '接到至答复或到时（中位）',
      '接到至办结（中位）',
    ],
    figures.map(
      each =>
        html`<tr><td>${each.officeName}</td><td class="number">${each.unsolved}</td><td class="number">${each.overdue > 0 ? tag(String(each.overdue), 'bad') : 0}</td><td class="nowrap">${each.oldestAt ? agoWords(now.getTime() - each.oldestAt.getTime()) : '—'}</td><td class="number">${each.ended}</td><td class="number">${each.lapsed > 0 ? tag(String(each.lapsed), 'bad') : 0}</td><td class="nowrap">${hours(each.toAnswer)}</td><td class="nowrap">${hours(each.toEnd)}</td></tr>`,
    ),
    '还没有上报。',
  )
}

function stateTag(status: string): Html {
  const [words, tone] = stateWords[status] ?? [status, 'quiet']
  return tag(words, tone)
}

function dueTag(slip: Pick<SlipRow, 'status' | 'dueAt'>, now: Date): Html | string {
  if (slip.status !== 'open' || !slip.dueAt) return ''
  return slip.dueAt < now ? tag('已过答复时限', 'bad') : tag(`${momentWords(slip.dueAt, now)}前答复`)
}

function firstWords(body: string): string {
  const line = [...body.replace(/\s+/g, ' ').trim()]
  return line.length > 36 ? `${line.slice(0, 36).join('')}……` : line.join('')
}

// one slip

async function slipPage(
  view: View<SlipInView>,
  fault: string | null = null,
  written: Written = { text: '' },
  mustBeSure = false,
): Promise<Html> {
  const { rt, thing: slip } = view
  const now = rt.clock.now()
  const [allSteps, allFiles, additions] = await Promise.all([
    stepsOfSlip(rt.db, slip.id),
    filesOfSlip(rt.db, slip.id),
    slip.as === 'turn' ? additionsBelow(rt.db, slip.id) : [],
  ])
  const { lost } = slip
  const steps = allSteps.filter(step => lost === null || step.id <= lost.stepId)
  const files = allFiles.filter(file => seesFile(slip, file))
  const isHere = slip.as === 'own' || slip.as === 'turn'
  const isOwn = slip.as === 'own'
  const own = `${isOwn ? '/me' : '/console'}/slips/${slip.id}`
  const office = slip.as === 'turn' ? slip.officeId : null
  return page(view, {
    title: `上报 ${slip.id}`,
    part: isOwn ? 'me' : 'slips',
    above: [isOwn ? ['我的上报', '/me/slips'] : ['上报', '/console/slips']],
    fault,
    body: html`<section class="card"><h2>${slipKind(slip.kind).name} ${isHere ? html`${stateTag(slip.status)} ${dueTag(slip, now)}` : slip.as === 'line' ? tag('已转上级', 'quiet') : ''}</h2>
${isOwn && slip.status === 'open' ? dangerNumbers(allWords(view, steps)) : ''}<p class="prose">${rt.vault.open(slip.bodySealed)}</p>
${files.map(
  (file, index) =>
    html`<p class="picture"><a href="/console/slips/${slip.id}/pictures/${file.id}"><img src="/console/slips/${slip.id}/pictures/${file.id}" alt="图片 ${index + 1}" loading="lazy"></a> <span class="soft">图片 ${index + 1}，${Math.ceil(file.size / 1024)} KB</span></p>`,
)}
<dl class="facts"><dt>谁写的</dt><dd>${isOwn ? `您${slip.isAnonymous ? '（匿名：名字只有答复的那一级看得到）' : ''}` : nameFor(slip, office)}</dd><dt>哪里的事</dt><dd>${slip.unitName}</dd>${isHere ? html`<dt>现在由</dt><dd>${slip.officeName}办理</dd>` : ''}${isHere && slip.mergedInto ? html`<dt>并入</dt><dd>上报 ${slip.mergedInto}</dd>` : ''}</dl></section>
${
  slip.as === 'contact'
    ? html`<p class="soft">本人请您也看一看，由单位答复；请您关心、走访。</p>`
    : html`<h2>办理经过</h2>
<div class="card"><ol class="plain">${steps.map(step => stepItem(view, step, now))}</ol></div>`
}
${additionsList(view, additions, now)}
${isOwn ? ownForms(view, own, written.text) : slip.as === 'turn' ? officeForms(view, own, written, mustBeSure) : slip.as === 'line' ? html`<p class="soft">这个上报已经不归您这一级办理，您仍可以看到转走以前的经过。</p>` : ''}`,
  })
}

/** What its reporter has written, from the first word to the last addition. */
function allWords(view: View<SlipInView>, steps: SlipStepRow[]): string {
  const added = steps.flatMap(step => (step.kind === 'added' && step.textSealed ? [step.textSealed] : []))
  return [view.thing.bodySealed, ...added].map(sealed => view.rt.vault.open(sealed)).join('\n')
}

/** What the reporters of slips that were merged into this one have added. */
function additionsList(
  view: View<SlipInView>,
  additions: Awaited<ReturnType<typeof additionsBelow>>,
  now: Date,
): Html | string {
  const { rt, viewer } = view
  const shown = additions.filter(
    each => each.aboutId === null || !runsVeryUnit(rt.templates, viewer.actor, each.aboutId),
  )
  if (shown.length === 0) return ''
  return html`<h2>并入的上报的补充</h2>
<div class="card"><ul class="plain">${shown.map(
    each =>
      html`<li>上报 ${each.slipId} 补充 <span class="soft">${moment(each.at, now)}</span>${each.textSealed ? html`<p class="prose">${rt.vault.open(each.textSealed)}</p>` : ''}</li>`,
  )}</ul></div>`
}

function stepItem(view: View<SlipInView>, step: SlipStepRow, now: Date): Html {
  const slip = view.thing
  const isReporter = step.actorId === slip.reporterId
  const who =
    step.actorId === null
      ? '到时自动'
      : isReporter
        ? slip.as === 'own'
          ? '您'
          : '本人'
        : (step.actorName ?? '')
  const words = (stepWords[step.kind] ?? step.kind).replace('{office}', step.officeName)
  return html`<li>${words} <span class="soft">${who} · ${moment(step.at, now)}</span>${step.textSealed ? html`<p class="prose">${view.rt.vault.open(step.textSealed)}</p>` : ''}</li>`
}

function officeForms(view: View<SlipInView>, own: string, written: Written, mustBeSure: boolean): Html {
  const { thing: slip, formToken } = view
  if (slip.status === 'closed' || slip.status === 'merged') return html``
  return html`<form class="card" method="post" action="${own}/answer">${token(formToken)}
${textArea('text', '答复', { value: written.text, rows: 4, isRequired: true, hint: '马上发给本人和合并的几位。单位的联系电话可以写；证件号、卡号会打上星号。' })}
${mustBeSure ? html`<p class="field"><label><input type="checkbox" name="sure" value="yes"> 仍然发送（我看过里面的个人信息）</label></p>` : ''}
${slip.groupId === null || !slip.groupMayKnow ? '' : html`<p class="field"><label><input type="checkbox" name="group" value="yes"${written.group ? html` checked` : ''}> 同时转告群里（不说是谁反映的）</label></p>`}
<div class="deeds"><button>答复</button></div></form>
<form class="card" method="post" action="${own}/merge">${token(formToken)}<p class="field"><label for="f-from">把同一件事的上报并进来</label><input id="f-from" name="from" inputmode="numeric" placeholder="编号，如 15 18"></p><div class="deeds"><button class="second">合并</button></div></form>
<div class="deeds">${slip.status === 'answered' ? deed(`${own}/close`, formToken, '办结') : ''}${slip.kind === 'practice' ? deed(`${own}/spread`, formToken, '推广给各群') : ''}${deed(`${own}/raise`, formToken, '转请上级办理', { sure: '转给上级以后，由上级答复。' })}</div>`
}

function ownForms(view: View<SlipInView>, own: string, written: string): Html {
  const { thing: slip, formToken } = view
  const up = deed(`${own}/raise`, formToken, '送到上一级', { sure: '上一级会看到您写的内容。' })
  if (slip.status === 'closed') return html`<div class="deeds">${up}</div>`
  return html`<form class="card" method="post" action="${own}/add">${token(formToken)}
${textArea('text', '补充', { value: written, rows: 3, isRequired: true })}<div class="deeds"><button class="second">补充</button></div></form>
<form class="card" method="post" action="${own}/pictures" enctype="multipart/form-data">${token(formToken)}<p class="field"><label for="f-picture">放一张图片</label><input id="f-picture" name="picture" type="file" accept="image/jpeg,image/png" required></p><div class="deeds"><button class="second">上传</button></div></form>
<div class="deeds">${deed(`${own}/close`, formToken, '已解决')}${up}</div>`
}

async function sendPicture(view: View<SlipInView>) {
  const id = Number((view.request.params as Record<string, string>).pictureId)
  const picture = Number.isSafeInteger(id) ? await pictureOf(view.rt, view.thing, id) : null
  if (!picture) throw new NotFound()
  return view.reply.type(picture.mime).header('content-disposition', 'inline').send(picture.bytes)
}

// for who writes

async function ownListPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(listQuery)
  const now = rt.clock.now()
  const copied = await slipsCopiedTo(rt.db, viewer.actor.person.id, PAGE_SIZE)
  const found = await slipsOfReporter(rt.db, viewer.actor.person.id, {
    limit: PAGE_SIZE + 1,
    offset: (number - 1) * PAGE_SIZE,
  })
  return page(view, {
    title: '我的上报',
    part: 'me',
    above: [['我的', '/me']],
    body: html`<div class="deeds"><a class="button" href="/me/slips/new">写上报</a></div>
<p class="soft">情况、做法、诉求、困难、意见都可以写；送之前会告诉您谁能看到。</p>
${
  found.length === 0
    ? emptyState(number > 1 ? '后面没有了。' : '您还没有上报过。')
    : html`<div class="card"><ul class="plain">${found
        .slice(0, PAGE_SIZE)
        .map(
          slip =>
            html`<li class="listed-notice"><a href="/me/slips/${slip.id}">${slipKind(slip.kind).name}：${firstWords(rt.vault.open(slip.bodySealed))}</a><span class="soft">上报 ${slip.id} · ${moment(slip.createdAt, now)} · ${slip.officeName}</span><span class="deeds-line">${stateTag(slip.status)}</span></li>`,
        )}</ul></div>`
}
${pager('/me/slips', {}, number, found.length > PAGE_SIZE)}
${
  copied.length > 0
    ? html`<h2>您联系的支部送给您看的</h2><div class="card"><ul class="plain">${copied.map(
        slip =>
          html`<li class="listed-notice"><a href="/console/slips/${slip.id}">${slipKind(slip.kind).name}：${firstWords(rt.vault.open(slip.bodySealed))}</a><span class="soft">${slip.unitName} · ${moment(slip.createdAt, now)}</span><span class="deeds-line">${stateTag(slip.status)}</span></li>`,
      )}</ul></div>`
    : ''
}`,
  })
}

const draftForm = z.object({
  kind: z.string().max(20).catch(''),
  unit: z.string().max(15).catch(''),
  about: z.string().max(15).catch(''),
  body: z.string().catch(''),
  anonymous: z.string().max(5).catch(''),
  copy: z.string().max(15).catch(''),
  group: z.string().max(5).catch(''),
  signed: z.string().max(5).catch(''),
  shown: z.string().max(1000).catch(''),
})
type Draft = z.output<typeof draftForm>

function readDraft(view: View<null>): Draft {
  const draft = view.read(draftForm)
  return { ...draft, body: draft.body.replace(/\r\n?/g, '\n') }
}

/** @throws DomainError `slip.kind`, `slip.place` */
async function inputOf(view: View<null>, draft: Draft) {
  const { kind, unit, about, body, anonymous, copy } = draft
  if (!slipRules.kinds.some(each => each.id === kind)) throw new DomainError('slip.kind', '请选一类。')
  const places = await placesOf(view.rt.db, view.viewer.actor.person.id)
  if (!places.some(place => String(place.unitId) === unit))
    throw new DomainError('slip.place', '请选是哪里的事。')
  return {
    kind,
    unitId: Number(unit),
    body,
    isAnonymous: anonymous !== '',
    aboutId: kind === 'complaint' && /^\d+$/.test(about) ? Number(about) : null,
    copyToId: /^\d+$/.test(copy) ? Number(copy) : null,
    groupMayKnow: draft.group !== '',
    isSigned: draft.signed !== '',
  }
}

async function writingPage(view: View<null>, draft: Draft, fault: string | null = null): Promise<Html> {
  const { rt, viewer } = view
  const places = await placesOf(rt.db, viewer.actor.person.id)
  const place = places.find(each => String(each.unitId) === draft.unit) ?? places[0]
  const at = place && { unitId: place.unitId, aboutId: null }
  const offices = at ? await officesOf(rt, { ...at, reporterId: viewer.actor.person.id }) : []
  const contacts = at ? await contactsFor(rt, at) : []
  const hasGroup = places.some(each => each.groupId !== null)
  return page(view, {
    title: '写上报',
    part: 'me',
    above: [['我的上报', '/me/slips']],
    fault,
    body:
      places.length === 0
        ? emptyState('您还不在任何单位或群里，不知道该送到哪里。请先入群，或直接向当地团组织反映。')
        : html`${dangerNumbers(draft.body)}<p class="soft">有人受伤或有危险，请先打 110、120、119。</p>
<form class="card" method="post" action="/me/slips/preview">${token(view.formToken)}
${select(
  'kind',
  '哪一类',
  slipRules.kinds.map(kind => [kind.id, `${kind.name}：${kind.words}`] as const),
  { value: draft.kind },
)}
${select(
  'unit',
  '哪里的事',
  places.map(place => [String(place.unitId), place.name] as const),
  { value: draft.unit },
)}
${select(
  'about',
  '投诉意见：是对哪个单位的',
  [['', '都不是'] as const, ...offices.map(office => [String(office.id), office.name] as const)],
  { value: draft.about, hint: '选了的单位看不到，由它的上一级办。别的类别不用选。' },
)}
${textArea('body', '内容', { value: draft.body, rows: 8, isRequired: true, hint: '什么事、在哪里、什么时候、希望怎样。不能写涉密内容；证件号、手机号会打上星号再保存。' })}
 ${contacts.length > 0 ? select('copy', '联系您支部的同志也看', [['', '不用'] as const, ...contacts.map(each => [String(each.personId), each.personName] as const)], { value: draft.copy }) : ''}
<p class="field"><label><input type="checkbox" name="anonymous" value="yes"${draft.anonymous ? html` checked` : ''}> 匿名（名字只有答复您的那一级看得到）</label></p>
${hasGroup ? html`<p class="field"><label><input type="checkbox" name="group" value="yes"${draft.group ? html` checked` : ''}> 答复可以转告群里（不说是谁反映的；投诉意见不转告）</label></p>` : ''}
<p class="field"><label><input type="checkbox" name="signed" value="yes"${draft.signed ? html` checked` : ''}> 经验做法：推广时写上我的名字</label></p>
<div class="deeds"><button>下一步：看看谁会看到</button></div></form>`,
  })
}

async function previewPage(
  view: View<null>,
  draft: Draft,
  fault: string | null = null,
  help: Html | null = null,
): Promise<Html> {
  const { rt, viewer } = view
  const input = await inputOf(view, draft)
  const warning = await checkSlip(rt, input.body, placeOfSlip(input))
  const office = await readersOf(rt, viewer.actor.person.id, input)
  const contact = (await contactsFor(rt, input)).find(each => each.personId === input.copyToId)
  const kind = slipKind(input.kind)
  const until = dueOf(rt, kind.id)
  const group = (await placesOf(rt.db, viewer.actor.person.id)).find(
    each => each.unitId === input.unitId,
  )?.groupId
  const mayTell = input.groupMayKnow && group != null && kind.id !== 'complaint'
  const kept = html`${token(view.formToken)}${Object.entries({ ...draft, shown: markOf(office) }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`
  return page(view, {
    title: '确认后送出',
    part: 'me',
    above: [['我的上报', '/me/slips']],
    fault,
    body: html`${help ?? dangerNumbers(input.body)}${warning ? html`<p class="fault" role="alert">${warning}</p>` : ''}
<section class="card"><h2>${kind.name}</h2><p class="prose">${input.body.trim()}</p></section>
<section class="card"><h2>谁会看到</h2><p>${office.name}的 ${office.readers.map(reader => reader.name).join('、')}。${contact ? `联系您支部的${contact.personName}也会看到。` : ''}${input.isAnonymous ? '名字只有办理的单位看得到。' : ''}</p>
<p class="soft">${momentWords(until, rt.clock.now())}前没有答复，会升到上一级，升到哪里会告诉您。别的单位看不到。${mayTell ? '您同意了把答复转告群里，不说是谁反映的。' : '群里看不到。'}</p></section>
<form method="post" action="/me/slips">${kept}<div class="deeds"><button>确认送出</button></div></form>
<form method="post" action="/me/slips/new">${kept}<div class="deeds"><button class="second">返回修改</button></div></form>`,
  })
}
