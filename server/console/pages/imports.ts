import type { MultipartFile } from '@fastify/multipart'
import { z } from 'zod'
import { describeError } from '../../../db/errors.ts'
import { importsUnder, linesOfImport, type RosterImportRow } from '../../../db/queries/roster.ts'
import { draftById, openDraftsOf, type RosterDraft } from '../../../db/queries/roster-drafts.ts'
import { topUnits } from '../../domain/access/policy.ts'
import { rosterDraftPolicy } from '../../domain/access/roster-drafts.ts'
import { rosterImportPolicy } from '../../domain/access/roster-imports.ts'
import { applyDraft } from '../../domain/roster/apply-draft.ts'
import { KEEP } from '../../domain/roster/columns.ts'
import type { ChangedLine, EntryLine } from '../../domain/roster/describe-plan.ts'
import { settleStaleDraft } from '../../domain/roster/drafts.ts'
import { giveUpDraft } from '../../domain/roster/give-up-draft.ts'
import type { ImportResult } from '../../domain/roster/import.ts'
import { mapDraft } from '../../domain/roster/map-draft.ts'
import { type DraftPreview, previewDraft } from '../../domain/roster/preview-draft.ts'
import type { RosterProblem } from '../../domain/roster/roster-row.ts'
import { undoImport } from '../../domain/roster/undo-import.ts'
import { uploadDraft } from '../../domain/roster/upload-draft.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { page } from '../layout.ts'
import { deed, figure, moment, pager, progress, select, table, tag, token } from '../parts.ts'
import { NotFound, type Routes, type View } from '../routes.ts'
import { roleWords, statusTag } from './roster.ts'

const PAGE = 50
const PROBLEMS_SHOWN = 200
const LINES_SHOWN = 50

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
    { name: '离开', isNumber: true },
    '现状',
  ],
  imports
    .slice(0, PAGE)
    .map(
      each =>
        html`<tr><td class="nowrap">${moment(each.appliedAt, now)}</td><td class="file"><a href="/console/imports/${each.id}">${each.fileName}</a></td><td>${each.unitName ?? ''}</td><td class="nowrap">${each.personName ?? '系统管理员'}</td><td class="number">${each.newCount}</td><td class="number">${each.changedCount}</td><td class="number">${each.goneCount}</td><td>${each.undoneAt ? tag('已撤销') : tag('已导入', 'good')}</td></tr>`,
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
    if (draft.status !== 'applying' || !view.isPartial)
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
      await applyDraft(view.rt, view.viewer.actor, view.thing, error =>
        view.rt.log.error(
          { draft: view.thing.id, ...describeError(error) },
          'a roster could not be imported',
        ),
      )
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

/** The draft as it is now; one that has died has failed. @throws NotFound when it was deleted meanwhile */
async function freshDraft(view: View<RosterDraft>): Promise<RosterDraft> {
  if (view.thing.status === 'applying') await settleStaleDraft(view.rt, view.thing)
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
  const draft = await freshDraft(view)
  if (draft.status === 'applied' && draft.importId !== null) {
    if (fault === null) return view.goTo(`/console/imports/${draft.importId}`)
    return draftFrame(
      view,
      draft,
      fault,
      html`<p><a href="/console/imports/${draft.importId}">看这次导入</a></p>`,
    )
  }
  if (draft.status === 'applying') return draftFrame(view, draft, fault, progressPart(draft))
  if (draft.status === 'given_up')
    return draftFrame(
      view,
      draft,
      fault,
      html`<p class="empty">这个文件已经放弃，没有导入。<a href="/console/imports/new">重新上传</a></p>`,
    )
  return draftFrame(
    view,
    draft,
    fault ?? draft.error,
    previewPart(view, draft, await previewDraft(view.rt, draft)),
  )
}

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
  return html`<section class="card" id="import-progress" hx-get="${path}/progress" hx-trigger="every 1s" hx-swap="outerHTML">
<h2>正在导入</h2>
<p>${draft.totalCount > 0 ? progress(draft.doneCount, draft.totalCount, '已导入的行') : '正在核对……'}</p>
<p class="soft">可以离开这一页，导入会继续。<a href="${path}">刷新</a></p></section>`
}

function draftTag(draft: RosterDraft): Html {
  if (draft.status === 'applying') return tag('正在导入', 'wait')
  return draft.status === 'failed' ? tag('没有导入成', 'bad') : tag('等您确认', 'wait')
}

function previewPart(
  view: View<RosterDraft>,
  draft: RosterDraft,
  { columns, fault, result }: DraftPreview,
): Html {
  const errors = result?.problems.filter(problem => problem.severity === 'error') ?? []
  const warnings = result?.problems.filter(problem => problem.severity === 'warning') ?? []
  const wrong = new Set(errors.map(problem => problem.line)).size
  const path = `/console/imports/drafts/${draft.id}`
  return html`${fault ? html`<p class="fault" role="alert">${fault}</p>` : ''}
${
  result
    ? html`<div class="figures">${figure(result.new, '新增')}${figure(result.changed, '变动')}${figure(result.unchanged, '不变')}${figure(result.gone, '离开', undefined, result.gone > 0 ? 'wait' : 'quiet')}${figure(wrong, '行有误', undefined, wrong > 0 ? 'bad' : 'good')}</div>`
    : ''
}
${
  errors.length > 0
    ? html`<p class="fault" role="alert">有 ${wrong} 行有误，现在不能导入：有一行错，就一行都不导入。请在表格里改好，再重新上传。</p>`
    : ''
}
<div class="deeds">${
    result && errors.length === 0
      ? deed(`${path}/apply`, view.formToken, '确认导入', {
          ...(result.gone > 0 ? { sure: `导入后有 ${result.gone} 人算离开，职务随之结束。确认导入？` } : {}),
        })
      : html`<a class="button" href="/console/imports/new">上传改好的文件</a>`
  }${deed(`${path}/give-up`, view.formToken, '放弃这个文件', { isGrave: true })}</div>
${problemTable('错误', errors)}
${problemTable('提醒（不妨碍导入）', warnings)}
${result ? diffPart(result, errors.length > 0) : ''}
${mappingPart(view, path, columns)}`
}

function problemTable(title: string, problems: RosterProblem[]): Html | string {
  if (problems.length === 0) return ''
  const sorted = [...problems].sort((a, b) => a.line - b.line)
  return html`<h2>${title}</h2>${table(
    title,
    [{ name: '行', isNumber: true }, '列', '内容', '原因和办法'],
    sorted
      .slice(0, PROBLEMS_SHOWN)
      .map(
        problem =>
          html`<tr><td class="number">${problem.line}</td><td class="nowrap">${problem.column}</td><td class="nowrap">${problem.value}</td><td class="reason">${problem.reason}</td></tr>`,
      ),
    '',
  )}${rest(problems.length, PROBLEMS_SHOWN, '条')}`
}

function rest(all: number, shown: number, what: string): Html | string {
  return all > shown ? html`<p class="soft">只列出前 ${shown} ${what}，共 ${all} ${what}。</p>` : ''
}

function diffPart(result: ImportResult, hasErrors: boolean): Html {
  const { lists } = result
  return html`<h2>会改动什么</h2>
${hasErrors ? html`<p class="soft">有误的行没有算在内，所以这些行里的人可能列在“离开”里；改好后会重新核对。</p>` : ''}
${result.newUnits.length > 0 ? html`<p>新设团支部 ${result.newUnits.length} 个：${result.newUnits.slice(0, 20).join('、')}${result.newUnits.length > 20 ? '……' : ''}</p>` : ''}
${lineList('新增', lists.new, result.new, true)}
${changeList('变动', lists.changed, result.changed)}
${changeList('个人信息有更新', lists.persons, lists.changedPersonCount)}
${lineList('离开', lists.gone, result.gone, true)}
${lineList('不变', lists.unchanged, result.unchanged, false)}`
}

function lineList(title: string, lines: EntryLine[], count: number, isOpen: boolean): Html | string {
  if (count === 0) return ''
  return html`<details${isOpen ? html` open` : ''}><summary>${title} ${count}</summary>${table(
    title,
    ['姓名', '单位', '角色和职务', '状态'],
    lines.map(
      line =>
        html`<tr><td class="nowrap">${line.name}</td><td>${line.unitName}</td><td>${line.role}</td><td>${statusTag(line.status)}</td></tr>`,
    ),
    '',
  )}${rest(count, LINES_SHOWN, '条')}</details>`
}

function changeList(title: string, lines: ChangedLine[], count: number): Html | string {
  if (count === 0) return ''
  return html`<details open><summary>${title} ${count}</summary>${table(
    title,
    ['姓名', '单位', '改了什么'].filter(head => head !== '单位' || lines.some(line => line.unitName)),
    lines.map(
      line =>
        html`<tr><td class="nowrap">${line.name}</td>${line.unitName ? html`<td>${line.unitName}</td>` : ''}<td class="reason">${line.changes.map(
          ([what, before, after]) =>
            html`<div>${what}：${before || '（空）'} → <b>${after || '（空）'}</b></div>`,
        )}</td></tr>`,
    ),
    '',
  )}${rest(count, LINES_SHOWN, '条')}</details>`
}

function mappingPart(view: View<unknown>, path: string, columns: DraftPreview['columns']): Html {
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
    linesOfImport(rt.db, row.id, 'import', LINES_SHOWN),
    linesOfImport(rt.db, row.id, 'gone', LINES_SHOWN),
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
        )}${rest(count, LINES_SHOWN, '条')}`
  return page(view, {
    title: `导入 ${row.fileName}`,
    part: 'roster',
    above: [
      ['名册', '/console/roster'],
      ['导入记录', '/console/imports'],
    ],
    fault,
    body: html`<div class="figures">${figure(row.newCount, '新增')}${figure(row.changedCount, '变动')}${figure(row.goneCount, '离开')}</div>
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
${lines(row.undoneAt ? '曾经带来的（已撤销）' : '新增和变动后的', brought, row.newCount + row.changedCount)}
${row.undoneAt ? '' : lines('离开和变动前的', gone, row.goneCount + row.changedCount)}`,
  })
}
