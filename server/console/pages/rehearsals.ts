import { z } from 'zod'
import {
  type ListedRehearsal,
  namesWithin,
  rehearsalsUnder,
  waitingBefore,
} from '../../../db/queries/rehearsals.ts'
import { childUnits } from '../../../db/queries/units.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { rehearsalPolicy } from '../../domain/access/rehearsals.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { importanceRule, noticeRules } from '../../domain/notices/rules.ts'
import { askForRehearsal } from '../../domain/rehearsals/ask.ts'
import type { RehearsalResult, Weakness } from '../../domain/rehearsals/result.ts'
import { outages, type RehearsalSettings, rehearsalSettings } from '../../domain/rehearsals/settings.ts'
import { outageWords, spanWords, unreachedWords, weaknessWords } from '../../domain/rehearsals/words.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { type Curve, drawCurve } from '../notice-curve.ts'
import {
  emptyState,
  field,
  figure,
  moment,
  pager,
  progress,
  select,
  table,
  tag,
  textArea,
  token,
} from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'

const PAGE = 20
/** Units below one's own that the form offers; others are reached from their own page, by `?unit=`. */
const MOST_CHOICES = 200
/** Groups that are named below a weakness, and units that were not reached. */
const MOST_NAMED = 20
/** Of a larger matrix a part is rehearsed: so many groups take some minutes. */
const GROUPS = 1000
const MINUTE_MS = 60_000
const NOBODY = '演练在模拟的平台上做，没有给任何人发消息。'

const number = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional().catch(undefined)
const asked = z.object({ unit: number, page: z.coerce.number().int().min(1).max(10_000).catch(1) })

/** Everything as it was written; read into settings below. */
const filled = z.object({
  unit: z.string().catch(''),
  importance: z.string().catch('same-day'),
  mode: z.string().catch('at-once'),
  at: z.string().catch('09:00'),
  text: z.string().catch(''),
  outage: z.string().catch('none'),
  soon: z.string().catch('60'),
  late: z.string().catch('30'),
  contacts: z.string().catch('70'),
  units: z.string().catch('80'),
  robots: z.string().catch('0'),
  lost: z.string().catch('0'),
})
type Filled = z.output<typeof filled>

/** `/console/rehearsals`: a notice to a unit's own matrix is tried out on the simulator (演练), and where it does not arrive. */
export function rehearsalPages(routes: Routes): void {
  routes.get('/console/rehearsals', 'manager', view => listPage(view, null, null))

  routes.post('/console/rehearsals', 'manager', async view => {
    const values = view.read(filled)
    const unit = /^\d{1,15}$/.test(values.unit)
      ? await unitPolicy.find(view.rt, view.viewer, Number(values.unit))
      : null
    if (!unit) throw new NotFound()
    try {
      const id = await askForRehearsal(view.rt, view.viewer.actor, unit.id, settingsFrom(values))
      return view.goTo(`/console/rehearsals/${id}`, '演练排上了，一会儿就开始。')
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return listPage(view, values, error.message)
    }
  })

  routes.get('/console/rehearsals/:rehearsalId', rehearsalPolicy, rehearsalPage)

  routes.get('/console/rehearsals/:rehearsalId/curve.svg', rehearsalPolicy, async view => {
    const { size } = view.read(z.object({ size: z.enum(['desk', 'phone']).catch('desk') }))
    const result = resultOf(view.thing)
    if (!result) throw new NotFound()
    return view.reply.type('image/svg+xml; charset=utf-8').send(await drawCurve(curveOf(result), size))
  })
}

/** @throws DomainError `rehearsal.settings` with what is wrong */
function settingsFrom(values: Filled): RehearsalSettings {
  const share = (written: string) => Number(written.trim().replace(/%$/, '')) / 100
  const parsed = rehearsalSettings.safeParse({
    importance: values.importance,
    mode: values.mode,
    at: values.at,
    outage: values.outage,
    // browsers send line ends as two characters
    ...(values.text.trim() === '' ? {} : { text: values.text.replace(/\r\n?/g, '\n').trim() }),
    ownersSoon: share(values.soon),
    ownersLate: share(values.late),
    contacts: share(values.contacts),
    units: share(values.units),
    robotsRemoved: share(values.robots),
    ownersWithoutAccount: share(values.lost),
    groups: GROUPS,
  })
  if (!parsed.success) {
    const at = String(parsed.error.issues[0]?.path[0] ?? '')
    throw new DomainError(
      'rehearsal.settings',
      at === 'at'
        ? '几点发出：请写成 09:00 这样。'
        : at === 'text'
          ? '演练的正文最多 600 字。'
          : '比例请填 0 到 100 之间的数。',
    )
  }
  if (parsed.data.ownersSoon + parsed.data.ownersLate > 1)
    throw new DomainError('rehearsal.settings', '两小时内办的和晚些办的群主，加起来不能超过 100%。')
  return parsed.data
}

// the list, and the form

async function listPage(view: View<null>, values: Filled | null, fault: string | null): Promise<Html> {
  const { rt, viewer } = view
  const query = view.request.method === 'GET' ? view.read(asked) : { unit: undefined, page: 1 }
  const chosen = query.unit === undefined ? null : await unitPolicy.find(rt, viewer, query.unit)
  if (query.unit !== undefined && !chosen) throw new NotFound()
  const tops = topUnits(rt.templates, viewer.actor)
  const found = await rehearsalsUnder(
    rt.db,
    tops.map(top => top.path),
    { limit: PAGE + 1, offset: (query.page - 1) * PAGE },
  )
  const children = (await Promise.all(tops.map(top => childUnits(rt.db, top.id)))).flat()
  const choices = new Map<number, string>([
    ...(chosen ? [[chosen.id, chosen.name] as const] : []),
    ...tops.map(top => [top.id, top.name] as const),
    ...children.slice(0, MOST_CHOICES).map(child => [child.id, child.name] as const),
  ])
  return page(view, {
    title: '演练',
    part: 'notices',
    above: [['通知', '/console/notices']],
    fault,
    body: html`<p class="soft">把您单位的群、群主和负责同志抄一份到模拟的企业微信和公众号上（不带姓名和电话），发一个通知，把一天在几分钟里走完：看多少群能收到、多久收到、哪里收不到、该先补什么。${NOBODY}</p>
<h2>做过的演练</h2>
${table(
  '做过的演练',
  ['单位', '截止时收到的群', '一人最多', '什么时候', '谁安排的'],
  found.slice(0, PAGE).map(each => listRow(each, rt.clock.now())),
  query.page > 1 ? '后面没有了。' : '还没有演练过。在下面做第一次。',
)}
${pager('/console/rehearsals', {}, query.page, found.length > PAGE)}
${form(view, [...choices], values, chosen?.id)}`,
  })
}

function listRow(each: ListedRehearsal, now: Date): Html {
  const result = each.result as Pick<RehearsalResult, 'groups' | 'reached' | 'mostMessages'> | null
  return html`<tr><td><a href="/console/rehearsals/${each.id}">${each.unitName}</a></td><td>${
    result ? progress(result.reached, result.groups, `${each.unitName}收到的群`) : statusTag(each.status)
  }</td><td>${result ? `${result.mostMessages} 条` : ''}</td><td>${moment(each.createdAt, now)}</td><td>${each.askedByName}</td></tr>`
}

function statusTag(status: string): Html {
  if (status === 'waiting') return tag('排队等候', 'wait')
  if (status === 'running') return tag('正在演练', 'wait')
  return status === 'failed' ? tag('没有做成', 'bad') : tag('做完了', 'good')
}

function form(
  view: View<null>,
  choices: [number, string][],
  values: Filled | null,
  unitId: number | undefined,
): Html {
  const now = values ?? filled.parse({})
  const percent = (name: string, label: string, value: string) =>
    field(name, label, {
      value,
      type: 'number',
      isRequired: true,
      attributes: html`min="0" max="100" step="1" inputmode="numeric"`,
    })
  return html`<form class="card" method="post" action="/console/rehearsals"><h2>做一次演练</h2>${token(view.formToken)}
${select(
  'unit',
  '单位',
  choices.map(([id, name]) => [String(id), name] as const),
  {
    value: now.unit || String(unitId ?? ''),
    hint: `连同全部下级；超过 ${GROUPS} 个群的抽 ${GROUPS} 个。一个单位一天最多 3 次。`,
  },
)}
${select(
  'importance',
  '紧要程度',
  noticeRules.importances.map(each => [each.id, `${each.name}（${each.words}）`] as const),
  { value: now.importance },
)}
${select(
  'mode',
  '怎样发',
  [
    ['at-once', '各级同时'],
    ['by-level', '逐级，上一级转了下一级再开始'],
  ],
  { value: now.mode },
)}
${field('at', '几点发出', { value: now.at, type: 'time', isRequired: true })}
${textArea('text', '正文', { value: now.text, rows: 3, hint: '只在演练里用；不填就用一段演练用的话。' })}
<details${values ? html` open` : ''}><summary>大家怎样办、出什么故障</summary>
<p class="soft">默认：群主里 60% 两小时内转，30% 截止前转，10% 不转；请到的第二联系人 70% 会办，请到的单位 80% 会办。</p>
${percent('soon', '群主两小时内转（%）', now.soon)}
${percent('late', '群主截止前转（%）', now.late)}
${percent('contacts', '第二联系人会办（%）', now.contacts)}
${percent('units', '请到的单位会办（%）', now.units)}
${percent('robots', '群机器人被移除（%）', now.robots)}
${percent('lost', '群主的账号失联（%）', now.lost)}
${select(
  'outage',
  '平台',
  outages.map(each => [each, outageWords[each]] as const),
  { value: now.outage },
)}</details>
<p><button>开始演练</button></p></form>`
}

// one rehearsal

async function rehearsalPage(view: View<ListedRehearsal>): Promise<Html> {
  const { rt, thing } = view
  const now = rt.clock.now()
  const result = resultOf(thing)
  const before = thing.status === 'waiting' ? await waitingBefore(rt.db, thing.id) : 0
  return page(view, {
    title: `${thing.unitName}的演练`,
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ['演练', '/console/rehearsals'],
    ],
    body: html`<p class="soft">${thing.askedByName} ${moment(thing.createdAt, now)}安排的。${NOBODY}</p>
${result ? await resultParts(view, result) : underWay(thing, before)}
${settingsCard(thing)}`,
  })
}

function underWay(thing: ListedRehearsal, before: number): Html {
  if (thing.status === 'failed')
    return html`<section class="card"><h2>没有做成</h2><p>${thing.reason ?? ''}</p><p><a class="button second" href="/console/rehearsals?unit=${thing.unitId}">再做一次</a></p></section>`
  const words =
    thing.status === 'running'
      ? '正在演练，几百个群约一两分钟。'
      : before > 0
        ? `排队等候，前面还有 ${before} 个。`
        : '马上开始。'
  return html`<section class="card"><p>${words}<a href="/console/rehearsals/${thing.id}">刷新看结果</a></p></section>`
}

async function resultParts(view: View<ListedRehearsal>, result: RehearsalResult): Promise<Html> {
  const { rt, thing } = view
  const { groups, reached, groupsInAll, minutesTo, mostMessages, levels } = result
  const dry = groups - reached
  const names = await namesWithin(rt.db, thing.unitPath, {
    groupIds: [
      ...result.unreached.slice(0, MOST_NAMED).map(each => each.groupId),
      ...result.mend.flatMap(each => each.groupIds.slice(0, MOST_NAMED)),
    ],
    unitIds: result.dryUnits.slice(0, MOST_NAMED).map(each => each.unitId),
  })
  const levelName = (id: string) =>
    rt.templates.programme(thing.programme).levels.find(level => level.id === id)?.name ?? id
  const within = (minutes: number | null) => (minutes === null ? '没有达到' : spanWords(minutes))
  const picture = `/console/rehearsals/${thing.id}/curve.svg`
  return html`<div class="figures">
${figure(`${((100 * reached) / Math.max(groups, 1)).toFixed(1)}%`, `截止时收到（${reached}/${groups} 个群）`, undefined, reached >= 0.99 * groups ? 'good' : 'bad')}
${figure(within(minutesTo.half), '一半的群收到用时')}
${figure(within(minutesTo.ninety), '90% 的群收到用时')}
${figure(within(minutesTo.ninetyNine), '99% 的群收到用时')}
${figure(`${mostMessages} 条`, '一个人最多收到', undefined, mostMessages <= 4 ? 'good' : 'bad')}
</div>
${groups < groupsInAll ? html`<p class="soft">${thing.unitName}及下级有 ${groupsInAll} 个群，抽了 ${groups} 个来演练。</p>` : ''}
<section class="card"><h2>到群的快慢</h2><picture><source media="(max-width: 40rem)" srcset="${picture}?size=phone" width="340" height="240"><img class="curve" src="${picture}" width="760" height="280" alt="${curveWords(result)}"></picture></section>
<section class="card"><h2>先补什么</h2>${
    result.mend.length === 0
      ? emptyState('这张矩阵没有发现薄弱的地方。')
      : html`<ol class="mend">${result.mend.map(each => mendItem(each, names.groups))}</ol>`
  }</section>
<h2>没有收到的群</h2>
${table(
  '没有收到的群',
  ['群', '单位', '为什么'],
  result.unreached.slice(0, MOST_NAMED).map(({ groupId, why }) => {
    const group = names.groups.get(groupId)
    return html`<tr><td>${group ? html`<a href="/console/groups/${groupId}">${group.name}</a>` : `群号 ${groupId}`}</td><td>${group?.unitName ?? ''}</td><td>${unreachedWords[why]}</td></tr>`
  }),
  '都收到了。',
)}
${dry > MOST_NAMED ? html`<p class="soft">共 ${dry} 个，这里列 ${MOST_NAMED} 个。</p>` : ''}
${
  result.dryUnits.length > 0
    ? html`<h2>没收到最多的单位</h2>${table(
        '没收到最多的单位',
        ['单位', { name: '群', isNumber: true }, { name: '没收到', isNumber: true }],
        result.dryUnits
          .slice(0, MOST_NAMED)
          .map(
            each =>
              html`<tr><td><a href="/console/units/${each.unitId}">${names.units.get(each.unitId) ?? `单位 ${each.unitId}`}</a></td><td class="number">${each.groups}</td><td class="number">${each.dry}</td></tr>`,
          ),
        '',
      )}`
    : ''
}
<h2>各级</h2>
${table(
  '各级收到的群',
  ['层级', '收到'],
  levels.map(
    each =>
      html`<tr><td>${levelName(each.level)}</td><td>${progress(each.reached, each.groups, `${levelName(each.level)}收到的群`)}</td></tr>`,
  ),
  '',
)}
<h2>打扰了多少人</h2>
${table(
  '每人收到几条消息',
  ['这个通知的消息', { name: '人数', isNumber: true }],
  result.messages.map(
    each => html`<tr><td>${each.count} 条</td><td class="number">${each.persons}</td></tr>`,
  ),
  '没有给人发消息。',
)}`
}

function mendItem(weakness: Weakness, names: ReadonlyMap<number, { name: string; unitName: string }>): Html {
  const { name, deed } = weaknessWords[weakness.id]
  const named = weakness.groupIds.slice(0, MOST_NAMED)
  return html`<li><p><b>${name}</b>：${weakness.groups} 个群${weakness.dry > 0 ? html` ${tag(`这次没收到 ${weakness.dry} 个`, 'bad')}` : ''}<br><span class="soft">${deed}</span></p>
<details><summary>是哪些群</summary><ul>${named.map(id => {
    const group = names.get(id)
    return html`<li>${group ? html`<a href="/console/groups/${id}">${group.name}</a>（${group.unitName}）` : `群号 ${id}`}</li>`
  })}</ul>${weakness.groups > named.length ? html`<p class="soft">共 ${weakness.groups} 个，这里列 ${named.length} 个。</p>` : ''}</details></li>`
}

function settingsCard(thing: ListedRehearsal): Html {
  const parsed = rehearsalSettings.safeParse(thing.settings)
  if (!parsed.success) return html``
  const { importance, mode, at, text, outage, ownersSoon, ownersLate, contacts, units, robotsRemoved } =
    parsed.data
  const percent = (share: number) => `${Math.round(share * 100)}%`
  return html`<section class="card"><h2>这样演练的</h2><dl class="facts">
<dt>通知</dt><dd>${importanceRule(importance).name}，${at} 发出，${mode === 'by-level' ? '逐级' : '各级同时'}</dd>
<dt>正文</dt><dd>${text}</dd>
<dt>群主</dt><dd>${percent(ownersSoon)} 两小时内转，${percent(ownersLate)} 截止前转，其余不转</dd>
<dt>请到的人</dt><dd>第二联系人 ${percent(contacts)} 会办，单位 ${percent(units)} 会办</dd>
<dt>故障</dt><dd>${outageWords[outage]}${robotsRemoved > 0 ? `；群机器人被移除 ${percent(robotsRemoved)}` : ''}${parsed.data.ownersWithoutAccount > 0 ? `；群主账号失联 ${percent(parsed.data.ownersWithoutAccount)}` : ''}</dd></dl></section>`
}

function resultOf({ status, result }: ListedRehearsal): RehearsalResult | null {
  return status === 'done' ? (result as RehearsalResult | null) : null
}

function curveOf({ issuedAt, deadlineAt, groups, curve }: RehearsalResult): Curve {
  const from = new Date(issuedAt)
  const until = new Date(deadlineAt)
  const at = (minute: number) => new Date(from.getTime() + minute * MINUTE_MS)
  return {
    issuedAt: from,
    deadlineAt: until,
    until,
    groups,
    posted: curve.map(([minute, reached]) => [at(minute), reached]),
    received: curve.map(([minute, , , handed]) => [at(minute), handed]),
    receivedName: '已到群或已交到群主手上',
  }
}

function curveWords({ groups, curve, minutesTo }: RehearsalResult): string {
  const last = curve.at(-1)?.[1] ?? 0
  const half = minutesTo.half === null ? '' : `，${spanWords(minutesTo.half)}时过半`
  return `到群的曲线：${groups} 个群，截止时 ${last} 个收到${half}`
}
