import type { MultipartFile } from '@fastify/multipart'
import { z } from 'zod'
import { describeError } from '../../../db/errors.ts'
import { importsUnder, linesOfImport, type RosterImportRow } from '../../../db/queries/roster.ts'
import { draftById, openDraftsOf, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { rosterDraftPolicy } from '../../domain/access/roster-drafts.ts'
import { rosterImportPolicy } from '../../domain/access/roster-imports.ts'
import { applyDraft } from '../../domain/roster/apply-draft.ts'
import { checkDraft } from '../../domain/roster/check-draft.ts'
import { KEEP } from '../../domain/roster/columns.ts'
import type { ChangedLine } from '../../domain/roster/describe-difference.ts'
import { settleStaleDraft } from '../../domain/roster/drafts.ts'
import { giveUpDraft } from '../../domain/roster/give-up-draft.ts'
import { mapDraft } from '../../domain/roster/map-draft.ts'
import {
  DRAFT_LISTS,
  type DraftList,
  type DraftPreview,
  draftBranches,
  draftEffects,
  draftLines,
  draftProblems,
  previewDraft,
} from '../../domain/roster/preview-draft.ts'
import { undoImport } from '../../domain/roster/undo-import.ts'
import { uploadDraft } from '../../domain/roster/upload-draft.ts'
import { MOST_TASKS } from '../../domain/roster/work-out-effects.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, figure, moment, pager, progress, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { roleWords, statusTag } from './roster.ts'

const PAGE = 50
/** What a page shows of each list at first; the rest is a click away. */
const LINES_SHOWN = 20

/** Rosters come in as files: uploaded, looked at, applied, and undone if it was wrong. */
export function importPages(routes: Routes): void {
  routes.get('/console/imports', 'manager', async view => {
    const { rt, viewer } = view
    const { page: number } = view.read(
      z.object({ page: z.coerce.number().int().min(1).max(100_000).catch(1) }),
    )
    const now = rt.clock.now()
    const paths = topUnits(rt.templates, viewer.actor).map(top => top.path)
    const [imports, drafts] = await Promise.all([
      importsUnder(rt.db, paths, PAGE + 1, (number - 1) * PAGE),
      openDraftsOf(rt.db, viewer.actor.person.id, now),
    ])
    return page(view, {
      title: '导入记录',
      part: 'roster',
      above: [['名册', '/console/roster']],
      body: html`<div class="deeds"><a class="button" href="/console/imports/new">导入名册</a></div>
${
  drafts.length > 0
    ? html`<section class="card"><h2>还没有导入的文件</h2><ul class="plain">${drafts.map(
        draft =>
          html`<li><a href="/console/imports/drafts/${draft.id}">${draft.fileName}</a> ${draftTag(draft)} <span class="soft">${draft.unitName} · ${moment(draft.createdAt, now)}上传，保留 24 小时</span></li>`,
      )}</ul></section>`
    : ''
}
${table(
  '导入记录',
  [
    '时间',
    '文件',
    '单位',
    '谁导入',
    { name: '新增', isNumber: true },
    { name: '变动', isNumber: true },
    { name: '调动', isNumber: true },
    { name: '离开', isNumber: true },
    '现状',
  ],
  imports
    .slice(0, PAGE)
    .map(
      each =>
        html`<tr><td class="nowrap">${moment(each.appliedAt, now)}</td><td class="file"><a href="/console/imports/${each.id}">${each.fileName}</a></td><td>${each.unitName ?? ''}</td><td class="nowrap">${each.personName ?? '系统管理员'}</td><td class="number">${each.newCount}</td><td class="number">${each.changedCount}</td><td class="number">${each.movedCount}</td><td class="number">${each.goneCount}</td><td>${each.undoneAt ? tag('已撤销') : tag('已导入', 'good')}</td></tr>`,
    ),
  '还没有从网页导入过名册。',
)}
${pager('/console/imports', {}, number, imports.length > PAGE)}`,
    })
  })

  routes.get('/console/imports/new', 'manager', view => uploadPage(view))
  routes.post('/console/imports/new', 'manager', async view => {
    const body = (view.request.body ?? {}) as Record<string, unknown>
    const values = { unit: textOf(body.unit), isWhole: textOf(body.whole) !== '' }
    try {
      const file = await fileOf(body.file)
      const id = await uploadDraft(view.rt, view.viewer.actor, {
        unitId: Number(values.unit),
        file,
        isWhole: values.isWhole,
      })
      return view.goTo(`/console/imports/drafts/${id}`)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return uploadPage(view, { ...values, fault: error.message })
    }
  })

  routes.get('/console/imports/drafts/:draftId', rosterDraftPolicy, view => draftPage(view))

  /** The part of the page that asks for itself until the import has ended. */
  routes.get('/console/imports/drafts/:draftId/progress', rosterDraftPolicy, async view => {
    const draft = await freshDraft(view)
    if (draft.status === 'applied') return view.goTo(`/console/imports/${draft.importId}`, '名册已导入。')
    if ((draft.status !== 'applying' && draft.status !== 'checking') || !view.isPartial)
      return view.goTo(`/console/imports/drafts/${draft.id}`)
    return progressPart(draft)
  })

  routes.post('/console/imports/drafts/:draftId/mapping', rosterDraftPolicy, async view => {
    const draft = view.thing
    const body = (view.request.body ?? {}) as Record<string, unknown>
    const chosen = new Map<number, string>()
    for (const [name, value] of Object.entries(body)) {
      const position = /^column-(\d{1,3})$/.exec(name)?.[1]
      if (position !== undefined && typeof value === 'string') chosen.set(Number(position), value)
    }
    return orRefuse(view, async () => {
      await mapDraft(view.rt, draft, chosen)
      return view.goTo(`/console/imports/drafts/${draft.id}`, '列的对应关系已保存，下面按它重新核对。')
    })
  })

  routes.post('/console/imports/drafts/:draftId/apply', rosterDraftPolicy, async view =>
    orRefuse(view, async () => {
      await applyDraft(view.rt, view.viewer.actor, view.thing, noteError(view))
      const draft = await freshDraft(view)
      return draft.status === 'applied'
        ? view.goTo(`/console/imports/${draft.importId}`, '名册已导入。')
        : view.goTo(`/console/imports/drafts/${draft.id}`)
    }),
  )

  routes.post('/console/imports/drafts/:draftId/give-up', rosterDraftPolicy, async view =>
    orRefuse(view, async () => {
      await giveUpDraft(view.rt, view.viewer.actor, view.thing)
      return view.goTo('/console/imports', `“${view.thing.fileName}”没有导入，文件已删除。`)
    }),
  )

  routes.get('/console/imports/:importId', rosterImportPolicy, view => importPage(view))
  routes.post('/console/imports/:importId/undo', rosterImportPolicy, async view => {
    try {
      await undoImport(view.rt, view.viewer.actor, view.thing.id)
      return view.goTo(`/console/imports/${view.thing.id}`, '已撤销，名册和职务恢复到导入之前。')
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      return importPage(view, error.message)
    }
  })
}

/** The text of a field; in a form with a file each is an object. */
function textOf(field: unknown): string {
  const value = typeof field === 'object' && field !== null ? (field as { value?: unknown }).value : field
  return typeof value === 'string' ? value : ''
}

/** @throws DomainError `import.file` when no file was chosen */
async function fileOf(part: unknown): Promise<{ name: string; bytes: Buffer }> {
  const file = part as Partial<MultipartFile> | undefined
  if (typeof file?.toBuffer !== 'function' || !file.filename)
    throw new DomainError('import.file', '请选择名册文件（.xlsx 或 .csv）。')
  return { name: file.filename, bytes: await file.toBuffer() }
}

function uploadPage(
  view: View<null>,
  values: { unit?: string; isWhole?: boolean; fault?: string } = {},
): Html {
  const { rt, viewer } = view
  const tops = topUnits(rt.templates, viewer.actor)
  const required = rt.templates.roster.columns.filter(each => ['name', 'phone', 'idNumber'].includes(each.id))
  return page(view, {
    title: '导入名册',
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['导入记录', '/console/imports'],
    ],
    fault: values.fault ?? null,
    body: html`<form class="card" method="post" action="/console/imports/new" enctype="multipart/form-data">${token(view.formToken)}
${select(
  'unit',
  '哪个单位的名册',
  tops.map(top => [String(top.id), `${top.name}（${rt.templates.programme(top.programme).name}）`] as const),
  { value: values.unit ?? '', hint: '只能改这个单位和它的下级；本单位自己的管理职务由上级登记。' },
)}
<p class="field"><label for="f-file">名册文件</label>
<input id="f-file" name="file" type="file" accept=".xlsx,.csv,.txt" required aria-describedby="h-file">
<small id="h-file">.xlsx 或 .csv（UTF-8、GBK 都可以），至多 20 MB。要有一行列名，至少有${required
      .map(each => each.header)
      .join('、')
      .replace(/、([^、]*)$/, '或$1')}；认得常见的列名，顺序不限。</small></p>
<p class="field"><label class="choice"><input type="checkbox" name="whole" value="yes"${values.isWhole ? html` checked` : ''}>这是该单位的完整名册</label>
<small>勾上：这个单位和下级里，不在文件中的人都算离开。不勾：只有文件里出现的单位这样算，没出现的单位不动。</small></p>
<button>上传并核对</button>
<p class="soft">上传之后先给您看会改动什么，确认了才导入。文件加密保存，24 小时内没有导入就删除。</p></form>`,
  })
}

function noteError({ rt, thing }: View<RosterDraft>): (error: unknown) => void {
  return error =>
    rt.log.error({ draft: thing.id, ...describeError(error) }, 'a roster could not be checked or imported')
}

/** The draft as it is now; one that has died has failed. @throws NotFound when it was deleted meanwhile */
async function freshDraft(view: View<RosterDraft>): Promise<RosterDraft> {
  if (['applying', 'checking'].includes(view.thing.status)) await settleStaleDraft(view.rt, view.thing)
  const draft = await draftById(view.rt.db, view.thing.id)
  if (!draft) throw new NotFound()
  return draft
}

async function orRefuse(
  view: View<RosterDraft>,
  work: () => Promise<ReturnType<typeof view.goTo>>,
): Promise<Html | ReturnType<typeof view.goTo>> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    view.reply.code(422)
    return draftPage(view, error.message)
  }
}

async function draftPage(
  view: View<RosterDraft>,
  fault: string | null = null,
): Promise<Html | ReturnType<typeof view.goTo>> {
  const asked = await freshDraft(view)
  await checkDraft(view.rt, asked, noteError(view))
  const draft = (await draftById(view.rt.db, asked.id)) ?? asked
  if (draft.status === 'applied' && draft.importId !== null) {
    if (fault === null) return view.goTo(`/console/imports/${draft.importId}`)
    return draftFrame(
      view,
      draft,
      fault,
      html`<p><a href="/console/imports/${draft.importId}">看这次导入</a></p>`,
    )
  }
  if (draft.status === 'applying' || draft.status === 'checking')
    return draftFrame(view, draft, fault, progressPart(draft))
  const preview = draft.status === 'given_up' ? null : await previewDraft(view.rt, draft)
  if (!preview)
    return draftFrame(
      view,
      draft,
      fault,
      html`<p class="empty">这个文件已经放弃，没有导入。<a href="/console/imports/new">重新上传</a></p>`,
    )
  const { list, page: number } = view.read(askedList)
  return draftFrame(
    view,
    draft,
    fault ?? draft.error,
    list === undefined
      ? await previewPart(view, draft, preview)
      : await listPage(view, draft, preview, list, number),
  )
}

const askedList = z.object({
  list: z
    .enum([...DRAFT_LISTS, 'group', 'unit', 'owner'])
    .optional()
    .catch(undefined),
  page: z.coerce.number().int().min(1).max(100_000).catch(1),
})
type ShownList = DraftList | 'group' | 'unit' | 'owner'

function draftFrame(view: View<unknown>, draft: RosterDraft, fault: string | null, body: Html): Html {
  return page(view, {
    title: `核对 ${draft.fileName}`,
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['导入记录', '/console/imports'],
    ],
    fault,
    body: html`<p class="soft">${draft.unitName} · ${draft.isWhole ? '完整名册' : '只更新文件里出现的单位'}</p>${body}`,
  })
}

function progressPart(draft: RosterDraft): Html {
  const path = `/console/imports/drafts/${draft.id}`
  const isApplying = draft.status === 'applying'
  const readWords = draft.doneCount > 0 ? `已读 ${draft.doneCount} 行……` : '正在核对……'
  return html`<section class="card" id="import-progress" hx-get="${path}/progress" hx-trigger="every 1s" hx-swap="outerHTML">
<h2>${isApplying ? '正在导入' : '正在核对'}</h2>
<p>${draft.totalCount > 0 ? progress(draft.doneCount, draft.totalCount, '已导入的行') : readWords}</p>
<p class="soft">可以离开这一页，${isApplying ? '导入' : '核对'}会继续。<a href="${path}">刷新</a></p></section>`
}

function draftTag(draft: RosterDraft): Html {
  if (draft.status === 'applying') return tag('正在导入', 'wait')
  if (draft.status === 'checking') return tag('正在核对', 'wait')
  return draft.status === 'failed' ? tag('没有导入成', 'bad') : tag('等您确认', 'wait')
}

async function previewPart(
  view: View<RosterDraft>,
  draft: RosterDraft,
  preview: DraftPreview,
): Promise<Html> {
  const { facts, difference } = preview
  const path = `/console/imports/drafts/${draft.id}`
  const isSound = difference !== null && difference.errors === 0
  const branches = difference && difference.newUnits > 0 ? await draftBranches(view.rt, preview.staging) : []
  const lists = difference ? await draftListParts(view, draft, preview) : []
  return html`${facts.fault ? html`<p class="fault" role="alert">${facts.fault}</p>` : ''}
${
  difference
    ? html`<div class="figures">${figure(difference.new, '新增')}${figure(difference.changed, '变动')}${difference.moved > 0 ? figure(difference.moved, '调动') : ''}${figure(difference.unchanged, '不变')}${figure(difference.gone, '离开', undefined, difference.gone > 0 ? 'wait' : 'quiet')}${figure(difference.wrong, '行有误', undefined, difference.wrong > 0 ? 'bad' : 'good')}</div>`
    : ''
}
${
  difference && difference.errors > 0
    ? html`<p class="fault" role="alert">有 ${difference.wrong} 行有误，现在不能导入：有一行错，就一行都不导入。请在表格里改好，再重新上传。</p>`
    : ''
}
<div class="deeds">${
    isSound
      ? deed(`${path}/apply`, view.formToken, '确认导入', {
          ...(difference.gone > 0
            ? { sure: `导入后有 ${difference.gone} 人算离开，职务随之结束。确认导入？` }
            : {}),
        })
      : html`<a class="button" href="/console/imports/new">上传改好的文件</a>`
  }${deed(`${path}/give-up`, view.formToken, '放弃这个文件', { isGrave: true })}</div>
${lists.filter(({ list }) => list === 'error' || list === 'warning').map(each => each.html)}
${difference ? await effectsPart(view, draft, preview) : ''}
${
  difference
    ? html`<h2>名册会改动什么</h2>
${difference.errors > 0 ? html`<p class="soft">有误的行没有算在内，所以这些行里的人可能列在“离开”里；改好后会重新核对。</p>` : ''}
${branches.length > 0 ? html`<p>新设团支部 ${branches.length} 个：${branches.slice(0, 20).join('、')}${branches.length > 20 ? '……' : ''}</p>` : ''}
${lists.filter(({ list }) => list !== 'error' && list !== 'warning').map(each => each.html)}`
    : ''
}
${facts.columns.length > 0 ? mappingPart(view, path, facts.columns) : ''}`
}

const LIST_NAMES: Record<ShownList, string> = {
  error: '错误',
  warning: '提醒（不妨碍导入）',
  new: '新增',
  changed: '变动',
  moved: '调动',
  persons: '个人信息有更新',
  gone: '离开',
  same: '不变',
  group: '群成员会变的群',
  unit: '人数会超过上限的团支部',
  owner: '待办会很多的群主',
}

function countsOf({ difference }: DraftPreview): Record<DraftList, number> {
  return {
    error: difference?.errors ?? 0,
    warning: difference?.warnings ?? 0,
    new: difference?.new ?? 0,
    changed: difference?.changed ?? 0,
    moved: difference?.moved ?? 0,
    persons: difference?.changedPersons ?? 0,
    gone: difference?.gone ?? 0,
    same: difference?.unchanged ?? 0,
  }
}

/** The beginning of each list that is not empty. */
async function draftListParts(
  view: View<RosterDraft>,
  draft: RosterDraft,
  preview: DraftPreview,
): Promise<{ list: DraftList; html: Html }[]> {
  const counts = countsOf(preview)
  const parts: { list: DraftList; html: Html }[] = []
  for (const list of DRAFT_LISTS) {
    const count = counts[list]
    if (count === 0) continue
    const body = await listTable(view, draft, preview, list, LINES_SHOWN, 0)
    const more = moreLink(draft, list, count)
    const isProblem = list === 'error' || list === 'warning'
    parts.push({
      list,
      html: isProblem
        ? html`<h2>${LIST_NAMES[list]}</h2>${body}${more}`
        : html`<details${list === 'same' ? '' : html` open`}><summary>${LIST_NAMES[list]} ${count}</summary>${body}${more}</details>`,
    })
  }
  return parts
}

function moreLink(draft: RosterDraft, list: ShownList, count: number): Html | string {
  return count > LINES_SHOWN
    ? html`<p><a href="/console/imports/drafts/${draft.id}?list=${list}">看全部 ${count} 条</a></p>`
    : ''
}

/** One list, page by page. */
async function listPage(
  view: View<RosterDraft>,
  draft: RosterDraft,
  preview: DraftPreview,
  list: ShownList,
  number: number,
): Promise<Html> {
  const path = `/console/imports/drafts/${draft.id}`
  const { body, hasMore } = await oneMore(view, draft, preview, list, number)
  return html`<p><a href="${path}">返回核对</a></p><h2>${LIST_NAMES[list]}</h2>${body}
${pager(path, { list }, number, hasMore)}`
}

async function oneMore(
  view: View<RosterDraft>,
  draft: RosterDraft,
  preview: DraftPreview,
  list: ShownList,
  number: number,
): Promise<{ body: Html; hasMore: boolean }> {
  const from = (number - 1) * PAGE
  if (list === 'group' || list === 'unit' || list === 'owner') {
    const { counts } = await draftEffects(view.rt, preview.staging, list, 0, 0)
    const all = { group: counts?.groups, unit: counts?.units, owner: counts?.owners }[list] ?? 0
    return { body: await effectTable(view, preview, list, PAGE, from), hasMore: all > from + PAGE }
  }
  return {
    body: await listTable(view, draft, preview, list, PAGE, from),
    hasMore: countsOf(preview)[list] > from + PAGE,
  }
}

async function listTable(
  { rt }: View<RosterDraft>,
  draft: RosterDraft,
  { staging }: DraftPreview,
  list: DraftList,
  limit: number,
  offset: number,
): Promise<Html> {
  const title = LIST_NAMES[list]
  if (list === 'error' || list === 'warning')
    return table(
      title,
      [{ name: '行', isNumber: true }, '列', '内容', '原因和办法'],
      (await draftProblems(rt, staging, list, limit, offset)).map(
        problem =>
          html`<tr><td class="number">${problem.line || '全部'}</td><td class="nowrap">${problem.column}</td><td class="nowrap">${problem.value}</td><td class="reason">${problem.reason}</td></tr>`,
      ),
      '只保留最前面的一万条；改好这些，再上传就能看到后面的。',
    )
  const lines = await draftLines(rt, staging, draft.programme, list, limit, offset)
  return list === 'changed' || list === 'moved' || list === 'persons'
    ? changeTable(title, lines)
    : lineTable(title, lines)
}

function lineTable(title: string, lines: ChangedLine[]): Html {
  return table(
    title,
    ['姓名', '单位', '角色和职务', '状态'],
    lines.map(
      line =>
        html`<tr><td class="nowrap">${line.name}</td><td>${line.unitName}</td><td>${line.role}</td><td>${statusTag(line.status)}</td></tr>`,
    ),
    '没有了。',
  )
}

function changeTable(title: string, lines: ChangedLine[]): Html {
  return table(
    title,
    ['姓名', '单位', '改了什么'].filter(head => head !== '单位' || lines.some(line => line.unitName)),
    lines.map(
      line =>
        html`<tr><td class="nowrap">${line.name}</td>${line.unitName ? html`<td>${line.unitName}</td>` : ''}<td class="reason">${line.changes.map(
          ([what, before, after]) =>
            html`<div>${what}：${before || '（空）'} → <b>${after || '（空）'}</b></div>`,
        )}</td></tr>`,
    ),
    '没有了。',
  )
}

/** What follows from it beyond the roster: in groups, for branches, for owners. */
async function effectsPart(
  view: View<RosterDraft>,
  draft: RosterDraft,
  preview: DraftPreview,
): Promise<Html | string> {
  const { counts } = await draftEffects(view.rt, preview.staging, 'group', 0, 0)
  if (!counts || counts.groups + counts.units === 0) return ''
  const shown = async (list: 'group' | 'unit' | 'owner', count: number, words: string) =>
    count === 0
      ? ''
      : html`<details${list === 'group' ? '' : html` open`}><summary>${words}</summary>${await effectTable(view, preview, list, LINES_SHOWN, 0)}${moreLink(draft, list, count)}</details>`
  return html`<h2>导入之后会怎样</h2>
${await shown('unit', counts.units, `${counts.units} 个团支部的人数会超过上限，请看要不要拆分`)}
${await shown('owner', counts.owners, `${counts.owners} 位群主的待办会超过 ${MOST_TASKS} 件，请提前打招呼`)}
${await shown('group', counts.groups, `${counts.groups} 个群要跟着变：${counts.joins} 人次进群，${counts.leaves} 人次退群`)}`
}

async function effectTable(
  { rt }: View<RosterDraft>,
  { staging }: DraftPreview,
  list: 'group' | 'unit' | 'owner',
  limit: number,
  offset: number,
): Promise<Html> {
  const { effects } = await draftEffects(rt, staging, list, limit, offset)
  const number = (name: string) => ({ name, isNumber: true })
  const cells = (first: string | Html, ...others: (string | number)[]) =>
    html`<tr><td>${first}</td>${others.map(each => (typeof each === 'number' ? html`<td class="number">${each}</td>` : html`<td>${each}</td>`))}</tr>`
  switch (list) {
    case 'group':
      return table(
        LIST_NAMES.group,
        ['群', '群主', number('进群'), number('退群')],
        effects.map(each => cells(each.name, each.beside || '还没有群主', each.joins, each.leaves)),
        '没有了。',
      )
    case 'unit':
      return table(
        LIST_NAMES.unit,
        ['团支部', '区县', number('现在'), number('导入后')],
        effects.map(each => cells(each.name, each.beside, each.before, each.after)),
        '没有了。',
      )
    case 'owner':
      return table(
        LIST_NAMES.owner,
        ['群主', number('现有待办'), number('导入后')],
        effects.map(each => cells(each.name, each.before, each.after)),
        '没有了。',
      )
  }
}

function mappingPart(view: View<unknown>, path: string, columns: DraftPreview['facts']['columns']): Html {
  const known = view.rt.templates.roster.columns
  const choices = [[KEEP, '保留原样'], ...known.map(each => [each.id, each.header] as const)] as const
  const kept = columns.filter(each => each.is === null).length
  return html`<h2>文件的列</h2>
<p class="soft">认出 ${columns.length - kept} 列${kept > 0 ? `，另有 ${kept} 列保留原样` : ''}。认得不对的可以在这里改。</p>
<form class="card" method="post" action="${path}/mapping">${token(view.formToken)}<div class="columns">${columns.map(
    ({ label, is }, position) =>
      html`${select(`column-${position}`, `“${label}”是`, choices, { value: is ?? KEEP })}`,
  )}</div><button class="second">保存并重新核对</button></form>`
}

async function importPage(view: View<RosterImportRow>, fault: string | null = null): Promise<Html> {
  const { rt, thing: row } = view
  const now = rt.clock.now()
  const [brought, gone] = await Promise.all([
    linesOfImport(rt.db, row.id, 'import', PAGE),
    linesOfImport(rt.db, row.id, 'gone', PAGE),
  ])
  const lines = (title: string, list: typeof brought, count: number) =>
    list.length === 0
      ? ''
      : html`<h2>${title}</h2>${table(
          title,
          ['姓名', '单位', '角色和职务', '状态'],
          list.map(
            ({ entry, name, unitName }) =>
              html`<tr><td class="nowrap"><a href="/console/persons/${entry.personId}">${name}</a></td><td>${unitName}</td><td>${roleWords(rt.templates.role(entry.programme, entry.role).name, entry.title)}</td><td>${statusTag(entry.status)}</td></tr>`,
          ),
          '',
        )}${count > PAGE ? html`<p class="soft">只列出前 ${PAGE} 条，共 ${count} 条。</p>` : ''}`
  return page(view, {
    title: `导入 ${row.fileName}`,
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['导入记录', '/console/imports'],
    ],
    fault,
    body: html`<div class="figures">${figure(row.newCount, '新增')}${figure(row.changedCount, '变动')}${row.movedCount > 0 ? figure(row.movedCount, '调动') : ''}${figure(row.goneCount, '离开')}</div>
<section class="card"><dl class="facts"><dt>现状</dt><dd>${
      row.undoneAt
        ? html`${tag('已撤销')} ${row.undoneByName ?? ''} ${moment(row.undoneAt, now)}`
        : tag('已导入', 'good')
    }</dd>
<dt>单位</dt><dd>${row.unitName ?? ''}</dd>
<dt>谁导入</dt><dd>${row.personName ?? '系统管理员'} ${moment(row.appliedAt, now)}</dd>
<dt>文件指纹</dt><dd class="hash">SHA-256 ${row.fileHash}</dd></dl>
${
  row.undoneAt
    ? ''
    : html`<div class="deeds">${deed(`/console/imports/${row.id}/undo`, view.formToken, '撤销这次导入', { isGrave: true, sure: '撤销后，名册、职务和个人信息恢复到这次导入之前。确认撤销？' })}</div>`
}</section>
${lines(row.undoneAt ? '曾经带来的（已撤销）' : '新增和变动后的', brought, row.newCount + row.changedCount + row.movedCount)}
${row.undoneAt ? '' : lines('离开和变动前的', gone, row.goneCount + row.changedCount + row.movedCount)}`,
  })
}
