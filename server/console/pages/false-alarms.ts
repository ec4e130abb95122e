import { z } from 'zod'
import { type AlertVerdict, listAlertVerdicts, openClaimsFor } from '../../../db/queries/alert-verdicts.ts'
import { personsByIds } from '../../../db/queries/persons.ts'
import { alertClaimPolicy } from '../../domain/access/alert-claims.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { managingRoles } from '../../domain/actor.ts'
import {
  alertWords,
  claimantsFor,
  claimFalseAlarm,
  judgeAlarm,
  type Stopped,
} from '../../domain/messages/claim-false-alarm.ts'
import { holdsWholeNumbers, StoppedText } from '../../domain/messages/false-alarms.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, emptyState, moment, pager, table, tag, token } from '../parts.ts'
import { overseenPaths, type Routes, type View } from '../routes.ts'

const PAGE_SIZE = 50
const MOST_CLAIMS = 100

/**
 * What outgoing checks stopped in error: claims for whoever decides them (`/console/false-alarms`), and what was decided,
 * for those above and whoever looks after the server.
 */
export function falseAlarmPages(routes: Routes): void {
  routes.get('/console/false-alarms', 'manager', claimsPage)
  routes.get('/console/false-alarms/verdicts', 'overseer', verdictsPage)
  routes.get('/console/false-alarms/:claimId', alertClaimPolicy, claimPage)
  routes.post('/console/false-alarms/:claimId/verdict', alertClaimPolicy, async view => {
    const { verdict } = view.read(z.object({ verdict: z.enum(['false', 'right']) }))
    const isFalse = verdict === 'false'
    await judgeAlarm(view.rt, view.viewer.actor, { claimId: view.thing.id, isFalse })
    return view.goTo(
      '/console/false-alarms',
      isFalse ? '记为误报，一样的话不再拦，已告诉本人。' : '记为不是误报，已请本人改一改；原话不再保存。',
    )
  })
  routes.post('/me/false-alarms', 'person', claim)
}

const claimForm = z.object({
  alert: z.enum(['secret', 'privacy']),
  source: z.enum(['notice', 'slip', 'answer']),
  text: z.string().min(1).max(5000),
  place: z.string().max(300).default(''),
  mark: z.string().max(60),
})

/** What shows that a form is as we made it for this person: whose word it takes is not theirs to say. */
const marked = (
  view: View<unknown>,
  { alert, source, text, place }: { alert: string; source: string; text: string; place: string },
) => JSON.stringify(['false-alarm', view.viewer.actor.person.id, alert, source, plainLines(text), place])

/** Browsers send other ends of lines than the page had. */
const plainLines = (text: string) => text.replace(/\r\n?/g, '\n')

const claimPlace = z.discriminatedUnion('of', [
  z.object({ of: z.literal('unit'), unitId: z.number().int() }),
  z.object({
    of: z.literal('slip'),
    slipKind: z.string().max(20),
    unitId: z.number().int(),
    aboutId: z.number().int().nullable(),
  }),
  z.object({ of: z.literal('slip-in-hand'), slipId: z.number().int() }),
])

async function claim(view: View<null>) {
  const form = view.read(claimForm)
  if (!view.rt.vault.indexes('form', marked(view, form)).includes(form.mark)) throw notOurs()
  const { alert, source, text, place } = form
  const stopped: Stopped = { alert, source, text: plainLines(text), place: readPlace(place) }
  const claimed = await claimFalseAlarm(view.rt, view.viewer.actor, stopped)
  return view.goTo(
    '/me',
    claimed.outcome === 'decided'
      ? '记下了：这是误报，一样的话不再拦。请再发一次。'
      : `已请${claimed.unitName}的${claimed.names.join('、')}看是不是误报，看过会告诉您；在那以前没有发出。`,
  )
}

/** @throws DomainError `form.invalid`: it was not our form */
function readPlace(written: string): Stopped['place'] {
  if (written === '') return null
  try {
    return claimPlace.parse(JSON.parse(written))
  } catch {
    throw notOurs()
  }
}

const notOurs = () => new DomainError('form.invalid', '填写的内容不完整，请返回重来。')

/** Beside the fault of a text that was stopped: a button by which its writer says that it was a false alarm. */
export function claimButton(view: View<unknown>, error: unknown): Html | null {
  if (!(error instanceof StoppedText) || holdsWholeNumbers(error.text)) return null
  if (error.source === 'slip' && error.place === null) return null
  const { alert, source, text } = error
  const said = { alert, source, text, place: error.place ? JSON.stringify(error.place) : '' }
  const fields = { ...said, mark: view.rt.vault.index('form', marked(view, said)) }
  return html`<form class="deed" method="post" action="/me/false-alarms" data-sure="会请负责的同志看原话，别人看不到。">${token(view.formToken)}${Object.entries(
    fields,
  ).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="second">这是误报</button> <span class="soft">会请负责的同志看原话，在那以前不发出。</span></form>`
}

async function claimsPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const unitIds = [...new Set(managingRoles(rt.templates, viewer.actor).map(role => role.unitId))]
  const claims = await openClaimsFor(rt.db, viewer.actor.person.id, unitIds, MOST_CLAIMS)
  const wordsOf = await claimWords(view, claims)
  const now = rt.clock.now()
  return page(view, {
    title: '被拦下的话',
    part: 'slips',
    body: html`<p class="soft">发出前的检查拦下的话，本人说是误报，请您看过再定。定为误报的，一样的话以后不再拦；涉密的由作者以外的人定。</p>
${
  claims.length === 0
    ? emptyState('没有要您看的。')
    : html`<div class="card"><ul class="plain">${claims.map(
        each =>
          html`<li class="listed-notice"><a href="/console/false-alarms/${each.id}">${each.id} 号：${wordsOf(each).what}</a><span class="soft">${wordsOf(each).who}${each.claimedAt ? moment(each.claimedAt, now) : ''}</span></li>`,
      )}</ul></div>`
}
${overseenPaths(view) === undefined ? '' : html`<p><a href="/console/false-alarms/verdicts">已经定了的</a></p>`}`,
  })
}

/** What is said of claims to whoever is asked: of those that they were asked about, and who wrote it where that is no secret. */
async function claimWords(
  { rt, viewer }: View<unknown>,
  claims: readonly AlertVerdict[],
): Promise<(claim: AlertVerdict) => { what: string; who: string }> {
  const of = new Map(claims.map(claim => [claim.id, claimantsFor(rt, viewer.actor, claim)]))
  const named = [...of.values()].flat().filter(each => each.source !== 'slip')
  const persons = await personsByIds(
    rt.db,
    named.map(each => each.personId),
  )
  const nameOf = new Map(persons.map(person => [person.id, person.name]))
  return claim => {
    const claimants = of.get(claim.id) ?? []
    const names = claimants.flatMap(each => (each.source === 'slip' ? [] : [nameOf.get(each.personId) ?? '']))
    return {
      what: alertWords({ alert: claim.alert, source: claimants[0]?.source ?? claim.source }),
      who: names.length === 0 ? '' : `${names.join('、')} · `,
    }
  }
}

async function claimPage(view: View<AlertVerdict>): Promise<Html> {
  const { rt, thing, formToken } = view
  const { what, who } = (await claimWords(view, [thing]))(thing)
  const own = `/console/false-alarms/${thing.id}/verdict`
  return page(view, {
    title: `被拦下的话 ${thing.id}`,
    part: 'slips',
    above: [['被拦下的话', '/console/false-alarms']],
    body: html`<section class="card"><h2>${what}</h2><p class="prose">${rt.vault.open(thing.textSealed)}</p>
<p class="soft">${who}${thing.claimedAt ? moment(thing.claimedAt, rt.clock.now()) : ''}。号码已打上星号。真涉密的，请选“不是误报”：原话不再保存。</p></section>
<div class="deeds">${deed(own, formToken, '是误报，放行', { fields: { verdict: 'false' } })}${deed(own, formToken, '不是误报', { fields: { verdict: 'right' }, isGrave: true })}</div>`,
  })
}

async function verdictsPage(view: View<null>): Promise<Html> {
  const { rt } = view
  const { page: number } = view.read(z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) }))
  const now = rt.clock.now()
  const paths = overseenPaths(view)
  const found = await listAlertVerdicts(rt.db, paths === undefined ? [] : paths, {
    limit: PAGE_SIZE + 1,
    offset: (number - 1) * PAGE_SIZE,
  })
  const tops = topUnits(rt.templates, view.viewer.actor)
  return page(view, {
    title: '误报的记录',
    part: tops.length > 0 ? 'slips' : 'server',
    above: [tops.length > 0 ? ['被拦下的话', '/console/false-alarms'] : ['运维', '/console/server']],
    body: html`<p class="soft">各单位对提醒的判断，供改进提醒（导出：node scripts/export-verdicts.ts）。号码打了星号；拦得对的、反映诉求和意见的，不留原话。</p>
${table(
  '对提醒的判断',
  ['提醒', '判断', '原话', '谁定的'],
  found
    .slice(0, PAGE_SIZE)
    .map(
      each =>
        html`<tr><td>${alertWords(each)}</td><td>${each.verdict === 'false' ? tag('误报', 'wait') : tag('拦得对', 'good')}</td><td class="prose">${each.textSealed === '' ? html`<span class="soft">没有保存</span>` : rt.vault.open(each.textSealed)}</td><td>${each.unitName ?? ''} ${each.markedByName ?? ''} <span class="soft">${each.markedAt ? moment(each.markedAt, now) : ''}</span></td></tr>`,
    ),
  number > 1 ? '后面没有了。' : '还没有。',
)}
${pager('/console/false-alarms/verdicts', {}, number, found.length > PAGE_SIZE)}`,
  })
}
