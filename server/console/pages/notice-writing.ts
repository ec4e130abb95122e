import { lockNoticeDraft, noticeDraftById, sameDraftSince } from '../../../db/queries/notice-drafts.ts'
import { filesOfDraft, type NoticeFile } from '../../../db/queries/notice-files.ts'
import type { NoticeAsk, NoticeAudience, NoticeContent } from '../../../db/queries/notices.ts'
import { type UnitRow, unitById, unitsNamed } from '../../../db/queries/units.ts'
import { dayOf, shanghaiMoment, timeOf } from '../../clock.ts'
import { noticeDraftPolicy } from '../../domain/access/notice-drafts.ts'
import { unitPolicy } from '../../domain/access/units.ts'
import { managingRoles } from '../../domain/actor.ts'
import { CATEGORIES, isCategory } from '../../domain/messages/categories.ts'
import { classifyMessage } from '../../domain/messages/classify.ts'
import { shippedClassifier } from '../../domain/messages/shipped.ts'
import { checkOutgoing } from '../../domain/notices/check.ts'
import { mayChange, saveDraft } from '../../domain/notices/drafts.ts'
import { checkFileText } from '../../domain/notices/file-text.ts'
import { addFiles, cleanFile, FILE_ACCEPT, FILE_LIMITS, removeFile } from '../../domain/notices/files.ts'
import { planReach } from '../../domain/notices/issue.ts'
import type { SubmitOutcome } from '../../domain/notices/pass-on.ts'
import { type Importance, noticeRules } from '../../domain/notices/rules.ts'
import { submitOnce } from '../../domain/notices/submit-once.ts'
import { defaultImportance } from '../../domain/notices/timing.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { type FormFields, formFields } from '../form-fields.ts'
import { page } from '../layout.ts'
import { field, momentWords, select, textArea, token } from '../parts.ts'
import { type Answer, NotFound, type Routes, type View } from '../routes.ts'
import { claimButton } from './false-alarms.ts'
import { draftPage, fileSize } from './notice-drafts.ts'

/** A notice is planned so far ahead at most. */
const MOST_AHEAD_MS = 366 * 86_400_000
/** A preview that is asked for twice within this time is of one draft. */
const SAME_MS = 10 * 60_000

/**
 * `GET /console/notices/new`: writing a notice. What is written is kept as a draft with its pictures and files; sending
 * takes a second step, on the draft's own page (`notice-drafts.ts`), which shows what will happen before it does.
 */
export function noticeWritingPages(routes: Routes): void {
  routes.get('/console/notices/new', 'manager', async view => {
    const query = formFields(view.request.query)
    const unit = query.text('unit')
    if (unit !== '') await unitInView(view, unit)
    return writingPage(view, { ...nothing, unit, unanswered: digits(query.text('unanswered')) })
  })
  // the same with what was typed so far: units were looked for
  routes.post('/console/notices/new', 'manager', view => kept(view, async form => writingPage(view, form)))

  routes.get('/console/notices/drafts/:noticeDraftId/edit', noticeDraftPolicy, async view => {
    const draft = view.thing
    if (!mayChange(view.rt, view.viewer.actor, draft)) throw new NotFound()
    const { gotNotice } = draft.content.audience
    if (gotNotice !== undefined) return view.goTo(`/console/notices/${gotNotice}/correct?draft=${draft.id}`)
    return writingPage(view, formOf(draft.id, draft.unitId, draft.content, draft.sendAt))
  })

  routes.post('/console/notices/preview', 'manager', view =>
    kept(view, async form => {
      const unit = await requireUnit(view, form)
      const { content, sendAt } = contentOf(view, form, unit)
      const files = form.draftId === null ? [] : await filesOfDraft(view.rt.db, form.draftId)
      await checkOutgoing(view.rt, { ...content, fileNames: files.map(file => file.name) })
      const reach = await planReach(view.rt, unit, content.audience)
      if (reach.groups === 0)
        throw new DomainError(
          'notice.no_groups',
          Object.keys(content.audience).length > 0
            ? `${unit.name}及下级没有这样的群，没有地方可发。请放宽范围。`
            : `${unit.name}及下级还没有登记过群，没有地方可发。请先登记群，或换一个单位。`,
        )
      const id = await keepDraft(view, form.draftId, { unitId: unit.id, content, sendAt })
      return view.goTo(`/console/notices/drafts/${id}`)
    }),
  )

  routes.post('/console/notices/drafts', 'manager', view =>
    kept(view, async form => {
      const unit = await requireUnit(view, form)
      const id = await keepDraft(view, form.draftId, { unitId: unit.id, ...contentOf(view, form, unit) })
      return view.goTo('/console/notices/drafts', `草稿 ${id} 已经保存，还没有发出。`)
    }),
  )

  routes.post('/console/notices', 'manager', async view => {
    const fields = formFields(view.request.body)
    const draftId = await draftInForm(view, fields)
    if (draftId !== null) return sendDraft(view, draftId, fields)
    const form = readForm(fields, null)
    return orAgain(view, form, async () => {
      const unit = await requireUnit(view, form)
      if (!isCategory(form.category)) throw new DomainError('notice.category', '请选一个类别。')
      const { outcome, isNew } = await submitOnce(view.rt, view.viewer.actor, {
        unitId: unit.id,
        ...contentOf(view, form, unit),
      })
      return goToOutcome(view, outcome, isNew)
    })
  })
}

/** The confirmation on a draft's page, with the category and the importance that were chosen there. */
async function sendDraft(view: View<null>, draftId: number, fields: FormFields): Promise<Answer> {
  const category = fields.text('category')
  const importance = fields.text('importance')
  const chosen = {
    ...(isCategory(category) ? { category } : {}),
    ...(isImportance(importance) ? { importance } : {}),
  }
  try {
    const { outcome, isNew } = await submitOnce(view.rt, view.viewer.actor, {
      draftId,
      ...chosen,
      filesAreRead: fields.text('filesRead') === 'yes',
    })
    return goToOutcome(view, outcome, isNew, draftId)
  } catch (error) {
    const draft = await noticeDraftById(view.rt.db, draftId)
    if (!draft) throw error
    return refused(view, error, fault =>
      draftPage(view, { ...draft, content: { ...draft.content, ...chosen } }, fault),
    )
  }
}

function goToOutcome(view: View<null>, outcome: SubmitOutcome, isNew: boolean, draftId?: number): Answer {
  const drafts = `/console/notices/drafts${draftId === undefined ? '' : `/${draftId}`}`
  switch (outcome.outcome) {
    case 'sent':
      return view.goTo(
        `/console/notices/${outcome.noticeId}`,
        isNew
          ? `通知 ${outcome.noticeId} 已发出。到时前会提醒还没转的群主，这一页会自动更新。`
          : `这个通知刚才已经发出（通知 ${outcome.noticeId}），没有重复发送。`,
      )
    case 'waiting':
      return view.goTo(
        drafts,
        `还没有发出：要有第二人审核，已请 ${outcome.askedIds.length} 位同志看，结果会告诉您。`,
      )
    case 'ready':
      return view.goTo(
        drafts,
        `已定好，${momentWords(outcome.sendAt, view.rt.clock.now())}发出；之前都可以改或作废。`,
      )
  }
}

// what is in the form

interface Form {
  draftId: number | null
  unit: string
  body: string
  category: string
  importance: string
  levels: string[]
  kinds: string[]
  /** Numbers of units. */
  under: string[]
  search: string
  unanswered: string
  mode: string
  link: string
  ask: string
  question: string
  choices: string
  measure: string
  /** As a browser writes it: `YYYY-MM-DDTHH:MM`. */
  sendAt: string
}

const nothing: Form = {
  draftId: null,
  unit: '',
  body: '',
  category: '',
  importance: '',
  levels: [],
  kinds: [],
  under: [],
  search: '',
  unanswered: '',
  mode: 'at-once',
  link: '',
  ask: '',
  question: '',
  choices: '',
  measure: '',
  sendAt: '',
}

const digits = (text: string) => (/^\d{1,15}$/.test(text.trim()) ? text.trim() : '')

function readForm(fields: FormFields, draftId: number | null): Form {
  const { text, list } = fields
  return {
    draftId,
    unit: text('unit'),
    body: text('body'),
    category: text('category'),
    importance: text('importance'),
    levels: list('level'),
    kinds: list('kind'),
    under: list('under').filter(id => digits(id) !== ''),
    search: text('search').trim().slice(0, 60),
    unanswered: text('unanswered').trim(),
    mode: text('mode') === 'by-level' ? 'by-level' : 'at-once',
    link: text('link').trim(),
    ask: text('ask'),
    question: text('question').trim(),
    choices: text('choices'),
    measure: text('measure').trim(),
    sendAt: text('sendAt'),
  }
}

function formOf(draftId: number, unitId: number, content: NoticeContent, sendAt: Date | null): Form {
  const { audience, ask } = content
  return {
    draftId,
    unit: String(unitId),
    body: content.body,
    category: content.category,
    importance: content.importance,
    levels: audience.levels ?? [],
    kinds: audience.groupKinds ?? [],
    under: (audience.unitIds ?? []).map(String),
    search: '',
    unanswered: String(audience.unansweredOf ?? ''),
    mode: content.mode,
    link: content.link ?? '',
    ask: ask?.kind ?? '',
    question: ask?.question ?? '',
    choices: ask?.choices?.join('\n') ?? '',
    measure: ask?.measure ?? '',
    sendAt: sendAt ? `${dayOf(sendAt)}T${timeOf(sendAt)}` : '',
  }
}

/** @throws DomainError for what cannot be meant */
function contentOf(
  { rt }: View<null>,
  form: Form,
  unit: UnitRow,
): { content: NoticeContent; sendAt: Date | null } {
  const body = form.body.trim()
  return {
    content: {
      body,
      category: isCategory(form.category)
        ? form.category
        : classifyMessage(shippedClassifier(), body).category,
      importance: isImportance(form.importance)
        ? form.importance
        : defaultImportance(rt.templates.programme(unit.programme)),
      audience: audienceOf(form),
      mode: form.mode,
      link: form.link === '' ? null : form.link,
      ask: askOf(form),
    },
    sendAt: sendAtOf(form.sendAt, rt.clock.now()),
  }
}

function audienceOf({ levels, kinds, under, unanswered }: Form): NoticeAudience {
  if (unanswered !== '' && digits(unanswered) === '')
    throw new DomainError('notice.audience', '“还没有答复的单位”请填那个通知的编号（数字）。')
  return {
    ...(levels.length > 0 ? { levels } : {}),
    ...(kinds.length > 0 ? { groupKinds: kinds } : {}),
    ...(under.length > 0 ? { unitIds: [...new Set(under.map(Number))] } : {}),
    ...(unanswered === '' ? {} : { unansweredOf: Number(unanswered) }),
  }
}

const askNames: readonly (readonly [NoticeAsk['kind'] | '', string])[] = [
  ['', '不用回答，转发到群即可'],
  ['text', '一句话'],
  ['number', '一个数字'],
  ['choice', '从几个选项里选一个'],
  ['file', '交一个文件（在网页上交）'],
]

function askOf({ ask, question, choices, measure }: Form): NoticeAsk | null {
  const kind = askNames.find(([id]) => id === ask)?.[0] ?? ''
  if (kind === '') return null
  const list = choices
    .split('\n')
    .map(choice => choice.trim())
    .filter(choice => choice !== '')
  return {
    kind,
    question,
    ...(kind === 'choice' ? { choices: list } : {}),
    ...(kind === 'number' && measure !== '' ? { measure } : {}),
  }
}

function sendAtOf(written: string, now: Date): Date | null {
  if (written === '') return null
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2})?$/.exec(written)
  const at = match ? shanghaiMoment(match[1] as string, match[2] as string) : new Date(Number.NaN)
  // a day that is not real would roll over to the next month
  if (Number.isNaN(at.getTime()) || dayOf(at) !== match?.[1])
    throw new DomainError('notice.send_at', '发出的时间写得不对，请写成 2026-09-10T09:00 的样子。')
  if (at <= now) throw new DomainError('notice.send_at', '定的时间已经过了：请改晚一些，或留空马上发。')
  if (at.getTime() - now.getTime() > MOST_AHEAD_MS)
    throw new DomainError('notice.send_at', '定时最多提前一年。')
  return at
}

function isImportance(text: string): text is Importance {
  return noticeRules.importances.some(rule => rule.id === text)
}

/** The unit that a query or a form names, when the viewer runs it. @throws NotFound otherwise */
async function unitInView(view: View<null>, written: string): Promise<UnitRow> {
  const unit = digits(written) === '' ? null : await unitPolicy.find(view.rt, view.viewer, Number(written))
  if (!unit) throw new NotFound()
  return unit
}

async function requireUnit(view: View<null>, { unit }: Form): Promise<UnitRow> {
  if (unit === '') throw new DomainError('notice.unit', '请选择以哪个单位的名义发。')
  return unitInView(view, unit)
}

/** The draft that a form is of, when the viewer may have it. @throws NotFound otherwise */
async function draftInForm(view: View<null>, fields: FormFields): Promise<number | null> {
  const written = fields.text('draft')
  if (written === '') return null
  const draft =
    digits(written) === '' ? null : await noticeDraftPolicy.find(view.rt, view.viewer, Number(written))
  if (!draft) throw new NotFound()
  return draft.id
}

/**
 * Reads the form, keeps the files that came with it, and does the work; with a fault the form comes again with all that was
 * filled in. A file that came is kept at once, because a browser does not send it a second time.
 */
async function kept(view: View<null>, work: (form: Form) => Promise<Answer>): Promise<Answer> {
  const fields = formFields(view.request.body)
  const draftId = await draftInForm(view, fields)
  const files = await fields.files('files')
  const removed = fields.list('remove').filter(id => digits(id) !== '')
  let form = readForm(fields, draftId)
  const { actor } = view.viewer
  try {
    if (draftId !== null && removed.length > 0) await openForFiles(view, draftId)
    if (draftId !== null) for (const id of removed) await removeFile(view.rt, actor, draftId, Number(id))
    if (files.length > 0) {
      const cut = files.find(file => file.isCut)
      if (cut) throw new DomainError('notice.file_size', `“${cut.name}”太大：${FILE_LIMITS.file.words}。`)
      // before a draft is made for them
      for (const file of files) await checkFileText(cleanFile(file))
      if (draftId === null) form = { ...form, draftId: await draftForFiles(view, form) }
      else await openForFiles(view, draftId)
      await addFiles(view.rt, actor, form.draftId as number, files)
    }
  } catch (error) {
    return refused(view, error, fault => writingPage(view, form, fault))
  }
  return orAgain(view, form, () => work(form))
}

async function orAgain(view: View<null>, form: Form, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    return refused(view, error, fault => writingPage(view, form, fault))
  }
}

/** Shows the form again with its fault; whatever is not the writer's fault goes on. */
function refused(view: View<null>, error: unknown, again: (fault: string) => Promise<Html>): Promise<Html> {
  if (!(error instanceof DomainError)) throw error
  view.reply.code(422)
  view.remedy = claimButton(view, error)
  return again(error.message)
}

/** A draft without words, so that files can be put to it before it is known whether the words may be kept. */
async function draftForFiles(view: View<null>, form: Form): Promise<number> {
  const unit = await requireUnit(view, form)
  const content = contentOf(view, { ...nothing, unit: form.unit }, unit).content
  return saveDraft(view.rt, view.viewer.actor, { unitId: unit.id, content, sendAt: null })
}

/** What was submitted is a draft again before its files change: what a second person reads is whole. */
function openForFiles({ rt, viewer }: View<null>, draftId: number): Promise<void> {
  return inTransaction(rt, async tx => {
    const draft = await lockNoticeDraft(tx.db, draftId)
    if (draft?.status !== 'waiting' && draft?.status !== 'ready') return
    const { unitId, content, sendAt } = draft
    await saveDraft(tx, viewer.actor, { draftId, unitId, content, sendAt })
  })
}

/** Keeps the draft; the same words from a form that was sent twice are one draft. */
function keepDraft(
  { rt, viewer }: View<null>,
  draftId: number | null,
  written: { unitId: number; content: NoticeContent; sendAt: Date | null },
): Promise<number> {
  return inTransaction(rt, async tx => {
    if (draftId !== null) return saveDraft(tx, viewer.actor, { ...written, draftId })
    const since = new Date(tx.clock.now().getTime() - SAME_MS)
    const same = { ...written, authorId: viewer.actor.person.id }
    const before = await sameDraftSince(tx.db, same, ['draft'], since)
    return saveDraft(tx, viewer.actor, { ...written, ...(before === null ? {} : { draftId: before }) })
  })
}

// the form

async function writingPage(view: View<unknown>, form: Form, fault: string | null = null): Promise<Html> {
  const { rt } = view
  const choices = await unitChoices(view, form.unit)
  const unit = await chosenUnit(view, form.unit === '' ? (choices[0]?.[0] ?? '') : form.unit)
  const files = form.draftId === null ? [] : await filesOfDraft(rt.db, form.draftId)
  const now = rt.clock.now()
  return page(view, {
    title: form.draftId === null ? '写通知' : `改通知草稿 ${form.draftId}`,
    part: 'notices',
    above: [
      ['通知', '/console/notices'],
      ...(form.draftId === null ? [] : ([['草稿和待审', '/console/notices/drafts']] as [string, string][])),
    ],
    fault,
    body: html`<form class="card" method="post" action="/console/notices/preview" enctype="multipart/form-data">${token(view.formToken)}
${form.draftId === null ? '' : html`<input type="hidden" name="draft" value="${form.draftId}">`}
${select('unit', '以哪个单位的名义', choices, {
  value: form.unit,
  hint: '发到这个单位和它下级的群；不写范围就是所有的群。',
})}
${textArea('body', '正文', {
  value: form.body,
  rows: 9,
  hint: '最多约 670 个汉字，链接也算在内。不能有涉密或内部内容、身份证号、多人手机号。',
})}
${field('link', '链接（可不填）', {
  value: form.link,
  placeholder: 'https://',
  hint: '写在正文下面，一起发到群里。',
  attributes: html`inputmode="url" maxlength="300"`,
})}
${filesPart(files)}
<div class="pair">${select(
      'category',
      '类别',
      [['', '按正文自动判断'], ...CATEGORIES.map(name => [name, name] as const)],
      { value: form.category, hint: '月末报表按它计数。' },
    )}
${select(
  'importance',
  '紧要程度',
  noticeRules.importances.map(rule => [rule.id, `${rule.name}：${rule.words}`] as const),
  {
    value: isImportance(form.importance)
      ? form.importance
      : unit
        ? defaultImportance(rt.templates.programme(unit.programme))
        : '',
    hint: '“当天”要在 20:00 前发；晚了算到第二天 12:00，等不及请选“紧急”。',
  },
)}</div>
${unit ? await audiencePart(view, form, unit) : ''}
${askPart(form)}
<details${form.sendAt === '' ? '' : html` open`}><summary>定时发出</summary>
${field('sendAt', '什么时候发', {
  value: form.sendAt,
  type: 'datetime-local',
  hint: '北京时间；不填就在确认后马上发。22:00 到 7:00 不打扰人（紧急除外）。',
  attributes: html`min="${dayOf(now)}T${timeOf(now)}"`,
})}</details>
<div class="deeds"><button>下一步：看看发到哪里</button><button class="second" name="keep" value="yes" formaction="/console/notices/drafts">存为草稿</button></div>
<p class="soft">下一步只是预览，还不会发出。</p></form>`,
  })
}

/** The unit whose levels and kinds of groups can be chosen from. */
async function chosenUnit(view: View<unknown>, written: string): Promise<UnitRow | null> {
  return digits(written) === '' ? null : unitPolicy.find(view.rt, view.viewer, Number(written))
}

/** The units that the viewer runs, and the one asked for below them. */
async function unitChoices(view: View<unknown>, asked: string): Promise<[value: string, words: string][]> {
  const { rt, viewer } = view
  const roles = managingRoles(rt.templates, viewer.actor)
  const units = new Map(roles.map(role => [role.unitId, { name: role.unitName, programme: role.programme }]))
  if (digits(asked) !== '' && !units.has(Number(asked))) {
    const unit = await unitPolicy.find(rt, viewer, Number(asked))
    if (unit) units.set(unit.id, unit)
  }
  const isShared = (name: string) => [...units.values()].filter(unit => unit.name === name).length > 1
  return [...units].map(([id, unit]) => [
    String(id),
    isShared(unit.name) ? `${unit.name}（${rt.templates.programme(unit.programme).name}）` : unit.name,
  ])
}

function filesPart(files: readonly NoticeFile[]): Html {
  return html`<p class="field"><label for="f-files">图片和文件（可不选，可选多个）</label>
<input id="f-files" name="files" type="file" multiple accept="${FILE_ACCEPT}" aria-describedby="h-files">
<small id="h-files">${FILE_LIMITS.picture.words}；${FILE_LIMITS.file.words}。一次合计至多 30 MB，多了分几次传。</small></p>
${
  files.length === 0
    ? ''
    : html`<fieldset><legend>已经放上的</legend>${files.map(
        file =>
          html`<p><label class="choice"><input type="checkbox" name="remove" value="${file.id}">去掉 ${file.name} <span class="soft">${fileSize(file.size)}</span></label></p>`,
      )}</fieldset>`
}`
}

async function audiencePart(view: View<unknown>, form: Form, unit: UnitRow): Promise<Html> {
  const programme = view.rt.templates.programme(unit.programme)
  const at = programme.levels.findIndex(level => level.id === unit.level)
  const levels = programme.levels.slice(Math.max(0, at))
  const isNarrowed =
    form.levels.length + form.kinds.length + form.under.length > 0 ||
    form.unanswered !== '' ||
    form.search !== '' ||
    form.mode === 'by-level'
  return html`<details${isNarrowed ? html` open` : ''}><summary>发给谁（不选就是${unit.name}和下级所有的群）</summary>
${select(
  'mode',
  '怎样往下发',
  [
    ['at-once', '各级同时'],
    ['by-level', '逐级：上一级转完（或等够时间）再发下一级'],
  ],
  { value: form.mode },
)}
${choicesPart('level', '只发这些层级', levels, form.levels)}
${choicesPart('kind', '只发这些类型的群', programme.groupKinds, form.kinds)}
${await unitsPart(view, form, unit)}
${field('unanswered', '只发还没有答复这个通知的单位', {
  value: form.unanswered,
  placeholder: '通知编号',
  hint: '填一个要求过答复的通知的编号，用来催办或补发。',
  attributes: html`inputmode="numeric"`,
})}</details>`
}

function choicesPart(
  name: string,
  legend: string,
  choices: readonly { id: string; name: string }[],
  chosen: readonly string[],
): Html {
  return html`<fieldset><legend>${legend}</legend><div class="ticks">${choices.map(
    choice =>
      html`<label><input type="checkbox" name="${name}" value="${choice.id}"${chosen.includes(choice.id) ? html` checked` : ''}>${choice.name}</label>`,
  )}</div></fieldset>`
}

/** Units below, by a search that needs no script: what is found comes as boxes to tick, and what is ticked stays. */
async function unitsPart(view: View<unknown>, form: Form, unit: UnitRow): Promise<Html> {
  const { rt } = view
  const ticked: UnitRow[] = []
  for (const id of [...new Set(form.under)].slice(0, 100)) {
    const found = await unitById(rt.db, Number(id))
    if (found?.path.startsWith(unit.path)) ticked.push(found)
  }
  const found = form.search === '' ? [] : await unitsNamed(rt.db, unit.path, form.search)
  const others = found.filter(each => !ticked.some(one => one.id === each.id))
  const box = (each: UnitRow, isTicked: boolean) =>
    html`<label><input type="checkbox" name="under" value="${each.id}"${isTicked ? html` checked` : ''}>${each.name}<span class="soft">（${rt.templates.level(each.programme, each.level).name}）</span></label>`
  return html`<fieldset><legend>只发这些单位和它们的下级</legend>
<div class="row">${field('search', '按名称找单位', { value: form.search, type: 'search' })}<button class="second" name="find" value="yes" formaction="/console/notices/new">查找</button></div>
${
  form.search !== '' && found.length === 0
    ? html`<p class="soft">${unit.name}的下级里没有名称带“${form.search}”的单位。</p>`
    : ''
}
${ticked.length + others.length === 0 ? '' : html`<div class="ticks">${ticked.map(each => box(each, true))}${others.map(each => box(each, false))}</div>`}
${found.length === 20 ? html`<p class="soft">只列出前 20 个，请把名称写全一些。</p>` : ''}</fieldset>`
}

function askPart(form: Form): Html {
  return html`<details${form.ask === '' && form.question === '' ? '' : html` open`}><summary>请各单位回答（不选就是不用回答）</summary>
${select('ask', '回答什么', askNames, { value: form.ask })}
${field('question', '问题', { value: form.question, placeholder: '如：今年招募多少人', attributes: html`maxlength="60"` })}
<div class="pair">${field('measure', '数字的单位', { value: form.measure, placeholder: '如：人', attributes: html`maxlength="4"`, hint: '只用于“一个数字”。' })}
${textArea('choices', '选项', { value: form.choices, rows: 3, hint: '只用于“选一个”：每行一个，2 到 8 个。' })}</div></details>`
}
