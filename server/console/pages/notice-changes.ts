import { z } from 'zod'
import {
  type ChangeOutlook,
  changeOutlook,
  countWithdrawn,
  type TakeBackOutcome,
  takeBackFigures,
} from '../../../db/queries/notice-changes.ts'
import { noticeDraftById } from '../../../db/queries/notice-drafts.ts'
import { unitById } from '../../../db/queries/units.ts'
import { type NoticeInView, sentNoticePolicy } from '../../domain/access/notices.ts'
import { managesUnit } from '../../domain/actor.ts'
import { falseAlarmsFor } from '../../domain/messages/false-alarms.ts'
import { approvalReason, levelOfAuthor, needsApproval } from '../../domain/notices/approval.ts'
import { correctedText, correctionText, withdrawalText } from '../../domain/notices/change-words.ts'
import { type Changing, changingOf, newestOf } from '../../domain/notices/changing.ts'
import { checkCorrection, groupsToCorrect } from '../../domain/notices/correct.ts'
import { mayChange } from '../../domain/notices/drafts.ts'
import { planTiming } from '../../domain/notices/issue.ts'
import { type Importance, type ImportanceRule, noticeRules } from '../../domain/notices/rules.ts'
import { checkAgainst, submitCorrection } from '../../domain/notices/submit-correction.ts'
import {
  checkReason,
  importancesToWithdraw,
  MAX_REASON,
  withdrawNotice,
} from '../../domain/notices/withdraw.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { linkLine } from '../notice-parts.ts'
import { field, figure, moment, momentWords, select, table, textArea, token } from '../parts.ts'
import { type Answer, NotFound, type Routes, type View } from '../routes.ts'
import { claimButton } from './false-alarms.ts'

type NoticeView = View<NoticeInView>

/**
 * `GET /console/notices/:noticeId/correct` and `…/withdraw`: a notice is corrected or withdrawn by those who may send in
 * the name of its unit. Writing, then seeing what will happen, then a second confirmation.
 */
export function noticeChangePages(routes: Routes): void {
  const own = '/console/notices/:noticeId'

  routes.get(`${own}/correct`, sentNoticePolicy, async view => {
    const changing = await changingIn(view)
    return over(view, changing) ?? correctingPage(view, changing, await firstCorrection(view, changing))
  })
  // back from the preview, with what was written
  routes.post(`${own}/correct/edit`, sentNoticePolicy, async view =>
    correctingPage(view, await changingIn(view), readCorrection(view, await changingIn(view))),
  )
  routes.post(`${own}/correct/preview`, sentNoticePolicy, view =>
    correctionStep(view, async (changing, form) => {
      checkAgainst(changing, form.against)
      checkCorrection(changing, linked(form), await falseAlarmsFor(view.rt, [form.body]))
      return correctionPreview(view, changing, form)
    }),
  )
  routes.post(`${own}/correct`, sentNoticePolicy, view =>
    correctionStep(view, async (changing, form) => {
      const { outcome, isNew } = await submitCorrection(view.rt, view.viewer.actor, {
        noticeId: changing.original.id,
        ...linked(form),
        importance: form.importance,
        against: form.against,
        ...(form.draftId === null ? {} : { draftId: form.draftId }),
      })
      if (outcome.outcome !== 'sent')
        return view.goTo(
          '/console/notices/drafts',
          '更正还没有发出：要有第二人审核，已请有关同志看，结果会告诉您。',
        )
      return view.goTo(
        `/console/notices/${outcome.noticeId}`,
        isNew
          ? `更正已发出（通知 ${outcome.noticeId}）：收到过原通知的群都会收到；还没发出的，直接发更正后的内容。`
          : `这个更正刚才已经发出（通知 ${outcome.noticeId}），没有重复发送。`,
      )
    }),
  )

  routes.get(`${own}/withdraw`, sentNoticePolicy, async view => {
    const changing = await changingIn(view)
    if (changing.withdrawal) return withdrawnPage(view, changing, changing.withdrawal)
    return over(view, changing) ?? withdrawingPage(view, changing, firstWithdrawal(changing))
  })
  routes.post(`${own}/withdraw/edit`, sentNoticePolicy, async view =>
    withdrawingPage(view, await changingIn(view), readWithdrawal(view)),
  )
  routes.post(`${own}/withdraw/preview`, sentNoticePolicy, view =>
    withdrawalStep(view, async (changing, form) => {
      checkReason(form.reason)
      return withdrawalPreview(view, changing, form)
    }),
  )
  routes.post(`${own}/withdraw`, sentNoticePolicy, view =>
    withdrawalStep(view, async (changing, form) => {
      const path = `/console/notices/${changing.original.id}/withdraw`
      if (changing.withdrawal) return view.goTo(path, '这个通知已经撤回了，没有重复办理。')
      const { groups } = await withdrawNotice(view.rt, view.viewer.actor, {
        noticeId: changing.original.id,
        ...form,
      })
      return view.goTo(
        path,
        groups > 0
          ? `已撤回。没发出的不再发，能收回的正在收回；${groups} 个群会收到撤回通知。`
          : '已撤回。没发出的不再发，能收回的正在收回。',
      )
    }),
  )
}

/** Leads from a notice's page to its correction and withdrawal, for those who may. */
export function changeLinks(view: View<unknown>, notice: NoticeInView): Html {
  const { rt, viewer } = view
  if (notice.kind === 'withdrawal' || !managesUnit(rt.templates, viewer.actor, notice.unitPath)) return html``
  const own = `/console/notices/${notice.id}`
  return notice.withdrawnAt
    ? html`<div class="deeds"><a class="button second" href="${own}/withdraw">撤回办得怎样</a></div>`
    : html`<div class="deeds"><a class="button second" href="${own}/correct">更正</a><a class="button second" href="${own}/withdraw">撤回</a></div>`
}

async function changingIn(view: NoticeView): Promise<Changing> {
  const changing = await changingOf(view.rt, view.thing.id)
  if (!changing) throw new NotFound()
  return changing
}

const above = (id: number): [string, string][] => [
  ['通知', '/console/notices'],
  [`通知 ${id}`, `/console/notices/${id}`],
]

/** Where nothing can be changed any more, says so. */
function over(view: NoticeView, { original, withdrawal }: Changing): Html | null {
  if (!withdrawal && original.kind !== 'withdrawal') return null
  return page(view, {
    title: '不能再更正或撤回',
    part: 'notices',
    above: above(original.id),
    body: withdrawal
      ? html`<p>通知 ${original.id} 已经撤回，不能再更正。要发新的内容，请另写一个通知。</p><div class="deeds"><a class="button second" href="/console/notices/${original.id}/withdraw">撤回办得怎样</a><a class="button second" href="/console/notices/new?unit=${original.unitId}">写通知</a></div>`
      : html`<p>通知 ${original.id} 本身就是撤回通知，不能再更正或撤回。</p>`,
  })
}

/** Shows the form again with its fault; whatever is not the writer's fault goes on. */
async function orAgain(
  view: NoticeView,
  act: () => Promise<Answer>,
  again: (fault: string) => Promise<Html> | Html,
): Promise<Answer> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    view.remedy = claimButton(view, error)
    return again(error.message)
  }
}

function importanceSelect(
  view: NoticeView,
  value: Importance,
  hint: string,
  rules: readonly ImportanceRule[] = noticeRules.importances,
): Html {
  const now = view.rt.clock.now()
  const words = (id: Importance, name: string) => {
    const { startsAt, deadlineAt } = planTiming(view.rt, id)
    const quiet = startsAt > now ? `，${momentWords(startsAt, now)}发出` : ''
    return `${name}：${momentWords(deadlineAt, now)}前${quiet}`
  }
  return select(
    'importance',
    '紧要程度',
    rules.map(rule => [rule.id, words(rule.id, rule.name)] as const),
    { value, hint },
  )
}

const importanceIn = z.string().transform((id, ctx) => {
  const rule = noticeRules.importances.find(each => each.id === id)
  if (rule) return rule.id
  ctx.addIssue({ code: 'custom', message: '请选紧要程度。' })
  return z.NEVER
})

// correcting

interface CorrectionForm {
  body: string
  /** Empty: there is none. */
  link: string
  importance: Importance
  draftId: number | null
  /** The notice whose text the writer has before them. */
  against: number
}

const linked = ({ body, link }: CorrectionForm) => ({ body, link: link === '' ? null : link })

function readCorrection(view: NoticeView, changing: Changing): CorrectionForm {
  const newest = newestOf(changing)
  const { body, link, importance, draft, against } = view.read(
    z.object({
      body: z.string().catch(''),
      link: z.string().catch(newest.link ?? ''),
      importance: importanceIn.catch(view.thing.importance as Importance),
      draft: z.coerce.number().int().positive().nullable().catch(null),
      against: z.coerce.number().int().positive().catch(newest.id),
    }),
  )
  // browsers send line ends as two characters
  return { body: body.replace(/\r\n?/g, '\n'), link: link.trim(), importance, draftId: draft, against }
}

/** What the form holds at first: the text as it stands, or a draft that a second person has sent back. */
async function firstCorrection(view: NoticeView, changing: Changing): Promise<CorrectionForm> {
  const { original, correction } = changing
  const { draft: draftId } = view.read(
    z.object({ draft: z.coerce.number().int().positive().nullable().catch(null) }),
  )
  const draft = draftId === null ? null : await noticeDraftById(view.rt.db, draftId)
  if (
    draft &&
    draft.content.audience.gotNotice === original.id &&
    mayChange(view.rt, view.viewer.actor, draft)
  )
    return {
      body: draft.content.body,
      link: draft.content.link ?? '',
      importance: draft.content.importance as Importance,
      draftId: draft.id,
      against: newestOf(changing).id,
    }
  return {
    body: correction ? correctedText(correction.body) : original.body,
    link: newestOf(changing).link ?? '',
    importance: original.importance as Importance,
    draftId: null,
    against: newestOf(changing).id,
  }
}

async function correctionStep(
  view: NoticeView,
  act: (changing: Changing, form: CorrectionForm) => Promise<Answer>,
): Promise<Answer> {
  const changing = await changingIn(view)
  const form = readCorrection(view, changing)
  return orAgain(
    view,
    () => act(changing, form),
    async fault => {
      const now = await changingIn(view)
      // the newest text stands beside the fault, so that what is sent next is written against it
      return over(view, now) ?? correctingPage(view, now, { ...form, against: newestOf(now).id }, fault)
    },
  )
}

function correctingPage(
  view: NoticeView,
  { original, correction }: Changing,
  form: CorrectionForm,
  fault: string | null = null,
): Html {
  return page(view, {
    title: `更正通知 ${original.id}`,
    part: 'notices',
    above: above(original.id),
    fault,
    body: html`${correction ? html`<p class="said">这个通知更正过（<a href="/console/notices/${correction.id}">通知 ${correction.id}</a>）。再更正，以新的为准。</p>${form.body === correctedText(correction.body) ? '' : html`<details open><summary>现在的内容</summary><p class="prose">${correctedText(correction.body)}</p></details>`}` : ''}
<form class="card" method="post" action="/console/notices/${original.id}/correct/preview">${token(view.formToken)}${hiddenFields(form)}
${textArea('body', '更正后的全文', {
  value: form.body,
  rows: 10,
  isRequired: true,
  hint: '写改好的全文，不是只写改动。前面会自动加上“【更正】”和原通知的日期、开头。',
})}
${field('link', '链接（可以没有）', { value: form.link, hint: '放在正文下面。要去掉就清空。', attributes: html`inputmode="url" autocomplete="off"` })}
${importanceSelect(view, form.importance, '更正单独收回执，按这个时限催办。')}
<div class="deeds"><button>下一步：看看会怎样</button></div>
<p class="soft">下一步只是预览，还不会发出。</p></form>`,
  })
}

const hiddenFields = ({ draftId, against }: CorrectionForm): Html =>
  html`<input type="hidden" name="against" value="${against}">${draftId === null ? '' : html`<input type="hidden" name="draft" value="${draftId}">`}`

async function correctionPreview(view: NoticeView, changing: Changing, form: CorrectionForm): Promise<Html> {
  const { rt } = view
  const { original } = changing
  const now = rt.clock.now()
  const outlook = await changeOutlook(rt.db, original.id, now)
  const unit = await unitById(rt.db, original.unitId)
  const level = unit ? levelOfAuthor(rt.templates, view.viewer.actor, unit) : ''
  const reach = { level, groups: await groupsToCorrect(rt, original.id) }
  const { startsAt } = planTiming(rt, form.importance)
  const path = `/console/notices/${original.id}/correct`
  const kept = html`${token(view.formToken)}${hiddenFields(form)}<input type="hidden" name="body" value="${form.body}"><input type="hidden" name="link" value="${form.link}"><input type="hidden" name="importance" value="${form.importance}">`
  return page(view, {
    title: '确认后更正',
    part: 'notices',
    above: [...above(original.id), ['更正', path]],
    body: html`<div class="figures">
${figure(outlook.posted + outlook.asked + outlook.unconfirmed, '个群收到过原通知，会收到更正')}
${figure(outlook.unsent, '个群还没发出，直接发更正后的')}
${outlook.unconfirmed > 0 ? figure(outlook.unconfirmed, '个群的群发还没确认，换成更正', undefined, 'wait') : ''}
</div>
<section class="card"><h2>发出去是这样</h2><p class="prose">${correctionText(original, form.body)}</p>${linkLine(linked(form).link)}${
      linked(form).link === newestOf(changing).link
        ? ''
        : html`<p class="soft">链接改过：原来${newestOf(changing).link === null ? '没有链接' : html`是 ${newestOf(changing).link}`}。</p>`
    }</section>
<section class="card"><h2>接下来</h2><ul>
<li>更正单独收回执、单独催办；原通知不再催。</li>
<li>群主转了更正，原通知也算传达到位。</li>
${startsAt > now ? html`<li>现在是安静时间，${moment(startsAt, now)}发出。要马上发，请返回改成“紧急”。</li>` : ''}
${needsApproval(noticeRules, reach) ? html`<li>${approvalReason(reach)}：确认后先请第二人看，同意了才发出。</li>` : ''}
</ul></section>
<form method="post" action="${path}">${kept}<div class="deeds"><button>确认更正</button></div></form>
<form method="post" action="${path}/edit">${kept}<div class="deeds"><button class="second">返回修改</button></div></form>`,
  })
}

// withdrawing

interface WithdrawalForm {
  reason: string
  importance: Importance
}

const firstWithdrawal = ({ original }: Changing): WithdrawalForm => ({
  reason: '',
  importance: original.importance as Importance,
})

function readWithdrawal(view: NoticeView): WithdrawalForm {
  const { reason, importance } = view.read(
    z.object({
      reason: z.string().catch(''),
      importance: importanceIn.catch(view.thing.importance as Importance),
    }),
  )
  return { reason: reason.replace(/\s+/g, ' ').trim(), importance }
}

async function withdrawalStep(
  view: NoticeView,
  act: (changing: Changing, form: WithdrawalForm) => Promise<Answer>,
): Promise<Answer> {
  const changing = await changingIn(view)
  const form = readWithdrawal(view)
  return orAgain(
    view,
    () => act(changing, form),
    fault => withdrawingPage(view, changing, form, fault),
  )
}

function withdrawingPage(
  view: NoticeView,
  { original, correction }: Changing,
  form: WithdrawalForm,
  fault: string | null = null,
): Html {
  return page(view, {
    title: `撤回通知 ${original.id}`,
    part: 'notices',
    above: above(original.id),
    fault,
    body: html`<section class="card"><h2>要撤回的</h2><p class="prose">${correction ? correctedText(correction.body) : original.body}</p>
<p class="soft">${original.unitName} ${original.authorName}，${moment(original.issuedAt, view.rt.clock.now())}发${correction ? '，连同它的更正一起撤回' : ''}</p></section>
<form class="card" method="post" action="/console/notices/${original.id}/withdraw/preview">${token(view.formToken)}
${field('reason', '为什么撤回', {
  value: form.reason,
  isRequired: true,
  hint: `一句话，最多 ${MAX_REASON} 字，收到的人都会看到，如“时间有变，另行通知”。不要重复写错的内容，不写网址。`,
  attributes: html`maxlength="${MAX_REASON}" autocomplete="off"`,
})}
${importanceSelect(
  view,
  form.importance,
  original.importance === 'urgent'
    ? '撤回通知按这个时限催办；要夜里也发，请选“紧急”。'
    : '撤回通知按这个时限催办。没发出的马上停发；原通知不紧急的，撤回夜里也不打扰人。',
  importancesToWithdraw(original),
)}
<div class="deeds"><button>下一步：看看会怎样</button></div>
<p class="soft">下一步只是预览，还不会撤回。内容只是要改，请用<a href="/console/notices/${original.id}/correct">更正</a>。</p></form>`,
  })
}

async function withdrawalPreview(
  view: NoticeView,
  { original }: Changing,
  form: WithdrawalForm,
): Promise<Html> {
  const { rt } = view
  const now = rt.clock.now()
  const outlook = await changeOutlook(rt.db, original.id, now)
  const { startsAt } = planTiming(rt, form.importance)
  const path = `/console/notices/${original.id}/withdraw`
  const kept = html`${token(view.formToken)}<input type="hidden" name="reason" value="${form.reason}"><input type="hidden" name="importance" value="${form.importance}">`
  return page(view, {
    title: '确认后撤回',
    part: 'notices',
    above: [...above(original.id), ['撤回', path]],
    body: html`<div class="figures">
${figure(outlook.posted, '个群收到了，会收到撤回通知', undefined, outlook.posted > 0 ? 'wait' : 'quiet')}
${figure(outlook.unsent, '个群还没发出，不再发', undefined, outlook.unsent > 0 ? 'good' : 'quiet')}
${figure(outlook.asked, '个群请群主转了、还没说转好', undefined, outlook.asked > 0 ? 'wait' : 'quiet')}
${figure(outlook.unconfirmed, '个群的群发还没确认，会取消')}
${figure(outlook.recallable, '条应用消息还能收回')}
</div>
<section class="card"><h2>收到的人会看到</h2><p class="prose">${withdrawalText(original, form.reason)}</p></section>
<section class="card"><h2>接下来</h2><ul>${stepsOf(outlook, startsAt, now, original.importance === 'urgent')}</ul></section>
<form method="post" action="${path}">${kept}<div class="deeds"><button class="grave">确认撤回</button></div></form>
<form method="post" action="${path}/edit">${kept}<div class="deeds"><button class="second">返回修改</button></div></form>`,
  })
}

function stepsOf(outlook: ChangeOutlook, startsAt: Date, now: Date, mayBeUrgent: boolean): Html[] {
  return [
    html`<li>撤回不能反悔：没发出的不再发，不再催办，也不能再转、再答复。</li>`,
    ...(outlook.recallable > 0
      ? [html`<li>发给群主的应用消息 24 小时内可以收回；收不回的，群主会收到撤回通知。</li>`]
      : []),
    html`<li>已经在群里的消息，平台不能代为撤回，要请群主在群里撤回，或转发撤回通知告知大家。</li>`,
    ...(startsAt > now
      ? [
          html`<li>收回马上办；现在是安静时间，撤回通知${moment(startsAt, now)}发出。${mayBeUrgent ? '要马上发，请返回改成“紧急”。' : ''}</li>`,
        ]
      : []),
  ]
}

const kindWords: Record<string, string> = {
  person: '请群主转发的消息',
  mass: '群发任务',
  robot: '机器人消息',
  appchat: '应用群消息',
}

const outcomeWords: Record<TakeBackOutcome, string> = {
  recalled: '已收回，告诉了群主不用转',
  cancelled: '已取消，没有发出',
  corrected: '改发了更正后的内容',
  confirmed: '群主已经确认发出，请群主告知',
  too_late: '过了 24 小时收不回，请群主告知',
  not_possible: '平台不能收回，请群主告知',
}

async function withdrawnPage(
  view: NoticeView,
  { original }: Changing,
  withdrawal: { id: number; body: string; authorName: string; issuedAt: Date },
): Promise<Html> {
  const { rt } = view
  const now = rt.clock.now()
  const [figures, spared] = await Promise.all([
    takeBackFigures(rt.db, withdrawal.id),
    countWithdrawn(rt.db, original.id),
  ])
  const open = figures.filter(each => each.outcome === null).reduce((sum, each) => sum + each.count, 0)
  return page(view, {
    title: `通知 ${original.id} 已撤回`,
    part: 'notices',
    above: above(original.id),
    body: html`<p>${withdrawal.authorName}在${moment(withdrawal.issuedAt, now)}撤回。谁知道了、谁还不知道，看<a href="/console/notices/${withdrawal.id}">撤回通知（通知 ${withdrawal.id}）</a>的进度。</p>
<div class="figures">${figure(spared, '个群没有收到，不用管', undefined, 'good')}${open > 0 ? figure(open, '条消息正在收回', undefined, 'wait') : ''}</div>
<section class="card"><h2>撤回通知</h2><p class="prose">${withdrawal.body}</p></section>
<h2>发出去的消息怎样了</h2>
${table(
  '发出去的消息怎样了',
  ['消息', '怎样了', { name: '条数', isNumber: true }],
  figures.map(
    each =>
      html`<tr><td>${kindWords[each.kind] ?? each.kind}</td><td>${each.outcome === null ? '正在收回' : outcomeWords[each.outcome]}</td><td class="number">${each.count}</td></tr>`,
  ),
  '撤回时没有发给个人的消息在外面，不用收回。',
)}`,
  })
}
