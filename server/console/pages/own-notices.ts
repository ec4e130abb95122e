import type { MultipartFile } from '@fastify/multipart'
import { z } from 'zod'
import type { Question, UnitToAnswer } from '../../../db/queries/notice-answers.ts'
import { followingOf } from '../../../db/queries/notice-changes.ts'
import { filesOfNotice } from '../../../db/queries/notice-files.ts'
import { noticesFor, type OwnNotice, ownGroupsOf } from '../../../db/queries/notice-readings.ts'
import { ownNoticePolicy } from '../../domain/access/notices.ts'
import { answerNotice, MAX_ANSWER_FILE_BYTES, mayAnswerFor } from '../../domain/notices/answers.ts'
import { deliveryWords } from '../../domain/notices/delivery-words.ts'
import { acknowledgeReading, openNotice } from '../../domain/notices/read.ts'
import { acknowledge, relayDone } from '../../domain/notices/settle.ts'
import { DomainError } from '../../errors.ts'
import { type Html, html } from '../../http/html.ts'
import { inTransaction } from '../../runtime.ts'
import { page } from '../layout.ts'
import { kindTag, linkLine, linkNow, noticeText, whatFollows } from '../notice-parts.ts'
import { deed, emptyState, field, moment, pager, select, tag, textArea, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'
import { claimButton } from './false-alarms.ts'
import { fileList } from './notice-drafts.ts'

const PAGE_SIZE = 50
const paged = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })
const home: [string, string][] = [['我的', '/me']]

/** The notices that are meant for a person, each with what they can say to it: read, received, relayed. */
export function ownNoticePages(routes: Routes): void {
  routes.get('/me/notices', 'person', listPage)

  routes.get('/me/notices/:noticeId', ownNoticePolicy, async view => {
    await openNotice(view.rt, view.viewer.actor, view.thing.id)
    return noticePage(view)
  })

  routes.post('/me/notices/:noticeId/acknowledge', ownNoticePolicy, async view => {
    await acknowledgeReading(view.rt, view.viewer.actor, view.thing.id)
    return view.goTo(`/me/notices/${view.thing.id}`, '已记下您已阅读，谢谢。')
  })

  for (const word of ['received', 'relayed'] as const)
    routes.post(`/me/notices/:noticeId/${word}`, ownNoticePolicy, async view => {
      const { group } = view.read(z.object({ group: z.coerce.number().int().positive().optional().catch(0) }))
      const settle = word === 'received' ? acknowledge : relayDone
      const input = { noticeId: view.thing.id, groupIds: group === undefined ? [] : [group] }
      return view.goTo(
        `/me/notices/${view.thing.id}`,
        await inTransaction(view.rt, tx => settle(tx, view.viewer.actor, input)).then(
          settled =>
            word === 'received'
              ? '已记下您看到了。转发到群后请点“转”。'
              : `已登记转发到${settled.groupNames.slice(0, 5).join('、')}${settled.groupNames.length > 5 ? `等 ${settled.groupNames.length} 个群` : ''}。${settled.left > 0 ? `您还有 ${settled.left} 个群的通知待转。` : '都办好了，谢谢！'}`,
          error => {
            // tapped twice, or said in the chat meanwhile: nothing is wrong
            if (error instanceof DomainError && error.code === 'notice.nothing_open')
              return '这些群已经登记过了，不用再办。'
            throw error
          },
        ),
      )
    })
}

interface WrittenAnswer {
  unit: string
  answer: string
  isSure: boolean
}

/** `POST /me/notices/:noticeId/answer`: may carry a file, so it is registered where files are taken. */
export function answerPages(routes: Routes): void {
  routes.post('/me/notices/:noticeId/answer', ownNoticePolicy, async view => {
    const body = (view.request.body ?? {}) as Record<string, unknown>
    const written: WrittenAnswer = {
      unit: textOf(body.unit),
      answer: textOf(body.answer).replace(/\r\n?/g, '\n'),
      isSure: textOf(body.sure) === 'yes',
    }
    const file = await fileOf(body.file)
    try {
      const answered = await answerNotice(view.rt, view.viewer.actor, {
        noticeId: view.thing.id,
        unitId: /^\d{1,15}$/.test(written.unit) ? Number(written.unit) : null,
        written: written.answer,
        isSure: written.isSure,
        ...(file ? { file } : {}),
      })
      return view.goTo(
        `/me/notices/${view.thing.id}`,
        `${answered.isChange ? '已改为' : '已记下'}${answered.unitName}的答复：${answered.text}${answered.ask.measure ?? ''}。要改可以再答一次。`,
      )
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      view.reply.code(422)
      view.remedy = claimButton(view, error)
      return noticePage(view, { fault: error, written })
    }
  })
}

/** The text of a field; in a form with a file each is an object. */
function textOf(part: unknown): string {
  const value = typeof part === 'object' && part !== null ? (part as { value?: unknown }).value : part
  return typeof value === 'string' ? value.slice(0, 5000) : ''
}

async function fileOf(part: unknown): Promise<{ name: string; bytes: Buffer } | null> {
  const file = part as Partial<MultipartFile> | undefined
  if (typeof file?.toBuffer !== 'function' || !file.filename) return null
  return { name: file.filename, bytes: await file.toBuffer() }
}

// the list

async function listPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const { page: number } = view.read(paged)
  const now = rt.clock.now()
  const place = { limit: PAGE_SIZE + 1, offset: (number - 1) * PAGE_SIZE }
  const found = await noticesFor(rt.db, viewer.actor.person.id, 'all', place)
  return page(view, {
    title: '发给我的通知',
    part: 'me',
    above: home,
    body: html`${
      found.length === 0
        ? emptyState(
            number > 1
              ? '后面没有了。'
              : '还没有发给您的通知。您所在的群收到通知后，会列在这里；您做群主的群，通知一发出就会列在这里。',
          )
        : html`<div class="card"><ul class="plain">${found.slice(0, PAGE_SIZE).map(each => ownNoticeItem(each, now))}</ul></div>`
    }${pager('/me/notices', {}, number, found.length > PAGE_SIZE)}`,
  })
}

export function ownNoticeItem(notice: OwnNotice, now: Date): Html {
  return html`<li class="listed-notice"><a href="/me/notices/${notice.id}">${firstWords(notice.body)}</a>
<span class="soft">${notice.unitName} · ${moment(notice.issuedAt, now)}</span>
<span class="deeds-line">${kindTag(notice)} ${notice.toRelay > 0 ? tag(`${notice.toRelay} 个群待您转发`, notice.deadlineAt < now ? 'bad' : 'wait') : ''} ${readingTag(notice)}</span></li>`
}

/** What a person is asked to answer, for the page of what waits for them. */
export function questionItem(question: Question, now: Date): Html {
  return html`<li class="listed-notice"><a href="/me/notices/${question.noticeId}#answer">${question.ask.question}</a>
<span class="soft">通知 ${question.noticeId} · ${question.unitName} · ${moment(question.deadlineAt, now)}截止</span>
<span class="deeds-line">${tag(question.open > 1 ? `${question.open} 个单位待您答复` : '待您答复', question.deadlineAt < now ? 'bad' : 'wait')}</span></li>`
}

function firstWords(body: string): string {
  const line = [...body.replace(/\s+/g, ' ').trim()]
  return `${line.slice(0, 40).join('')}${line.length > 40 ? '……' : ''}`
}

function readingTag(notice: OwnNotice): Html {
  if (notice.acknowledgedAt) return tag('已读', 'good')
  return notice.openedAt ? tag('打开过') : tag('未读', 'wait')
}

// one notice

async function noticePage(
  view: View<OwnNotice>,
  refused: { fault: DomainError; written: WrittenAnswer } | null = null,
): Promise<Html> {
  const { rt, viewer, thing: notice } = view
  const now = rt.clock.now()
  const [groups, units, following, files] = await Promise.all([
    ownGroupsOf(rt.db, viewer.actor.person.id, notice.id),
    notice.ask ? mayAnswerFor(rt, viewer.actor, notice.id) : [],
    followingOf(rt.db, notice.id),
    filesOfNotice(rt.db, notice.id),
  ])
  return page(view, {
    title: `通知 ${notice.id}`,
    part: 'me',
    above: [...home, ['发给我的通知', '/me/notices']],
    fault: refused?.fault.message ?? null,
    body: html`<p class="soft">${kindTag(notice)} ${notice.unitName} · ${moment(notice.issuedAt, now)}发 · ${moment(notice.deadlineAt, now)}前传达到群</p>
${whatFollows(notice, following, '/me/notices', now)}
<div class="card">${noticeText(notice, following)}${linkLine(linkNow(notice, following))}${fileList(files, `/me/notices/${notice.id}/files`)}</div>
${
  notice.acknowledgedAt
    ? html`<p class="said">您在${moment(notice.acknowledgedAt, now)}说已阅读。</p>`
    : notice.withdrawnAt
      ? ''
      : html`<div class="deeds">${deed(`/me/notices/${notice.id}/acknowledge`, view.formToken, '我已阅读')}</div>`
}
${notice.ask && units.length > 0 && notice.withdrawnAt === null ? answerForm(view, units, refused) : ''}
${groups.length > 0 ? ownGroups(view, notice, groups) : ''}`,
  })
}

/** The question as a small form, with what was answered so far. */
function answerForm(
  view: View<OwnNotice>,
  units: UnitToAnswer[],
  refused: { fault: DomainError; written: WrittenAnswer } | null,
): Html {
  const { thing: notice, rt } = view
  const now = rt.clock.now()
  const ask = notice.ask as NonNullable<OwnNotice['ask']>
  const answered = units.filter(unit => unit.answer)
  const open = units.filter(unit => !unit.answer)
  const isFile = ask.kind === 'file'
  const written = refused?.written
  return html`<section class="card" id="answer"><h2>请答复：${ask.question}</h2>
${
  answered.length > 0
    ? html`<ul class="plain">${answered.map(({ unitName, answer }) => {
        const text = answer?.fileName ?? rt.vault.open(answer?.sealed as string)
        return html`<li>${tag('已答', 'good')} ${unitName}：<b>${text}${ask.measure ?? ''}</b> <span class="soft">${answer?.by}${answer?.standing === 'manager' ? '（负责同志）' : '（群主）'}，${moment(answer?.at as Date, now)}</span></li>`
      })}</ul>${open.length === 0 ? html`<p class="soft">要改可以再答一次，以最后一次为准；负责同志答的，群主不能改。</p>` : ''}`
    : ''
}
<form method="post" action="/me/notices/${notice.id}/answer"${isFile ? html` enctype="multipart/form-data"` : ''}>${token(view.formToken)}
${
  units.length > 1
    ? select(
        'unit',
        '替哪个单位答',
        [...open, ...answered].map(unit => [
          String(unit.unitId),
          `${unit.unitName}${unit.answer ? '（已答）' : ''}`,
        ]),
        { value: written?.unit ?? null },
      )
    : html`<input type="hidden" name="unit" value="${units[0]?.unitId}">`
}
${answerField(ask, written?.answer ?? '')}
${
  refused?.fault.code === 'answer.privacy'
    ? html`<p class="field"><label><input type="checkbox" name="sure" value="yes"> 确实要报：我知道里面有个人信息，只有上级单位看得到</label>${isFile ? html`<small>请再选一次文件。</small>` : ''}</p>`
    : ''
}
<div class="deeds"><button>${answered.length > 0 && open.length === 0 ? '改答复' : '答复'}</button></div>
<p class="soft">只有${notice.unitName}和它到您单位之间的各级看得到。请不要写身份证号、手机号；涉密的不能在网上报。</p></form></section>`
}

function answerField(ask: NonNullable<OwnNotice['ask']>, value: string): Html {
  switch (ask.kind) {
    case 'number':
      return field('answer', `数字${ask.measure ? `（${ask.measure}）` : ''}`, {
        value,
        isRequired: true,
        hint: '确切的数字，没有请填 0。',
        attributes: html`inputmode="decimal" autocomplete="off"`,
      })
    case 'choice':
      return html`<fieldset><legend>请选一项</legend>${(ask.choices ?? []).map(
        choice =>
          html`<p><label><input type="radio" name="answer" value="${choice}" required${choice === value ? html` checked` : ''}>${choice}</label></p>`,
      )}</fieldset>`
    case 'file':
      return html`<p class="field"><label for="f-file">文件</label>
<input id="f-file" name="file" type="file" required aria-describedby="h-file">
<small id="h-file">图片、文档、表格或文字，至多 ${MAX_ANSWER_FILE_BYTES / 1024 / 1024} MB，加密保存。PDF 和旧格式（doc、xls、ppt）里的字系统读不到，请自己先看一遍。</small></p>`
    case 'text':
      return textArea('answer', '答复', { value, rows: 3, isRequired: true })
  }
}

/** The owner's groups with a notice: what is said here is what 收 and 转 say in the chat. */
function ownGroups(
  view: View<OwnNotice>,
  notice: OwnNotice,
  groups: Awaited<ReturnType<typeof ownGroupsOf>>,
): Html {
  const isOver = notice.withdrawnAt !== null
  const open = isOver ? [] : groups.filter(group => group.isToRelay)
  const path = `/me/notices/${notice.id}`
  return html`<h2>我做群主的群</h2>
${
  open.length > 0
    ? html`<div class="card"><p>请把上面的正文转发到下面${open.length > 1 ? `这 ${open.length} 个` : '这个'}群，转好后点“转”。</p><div class="deeds">${deed(`${path}/relayed`, view.formToken, open.length > 1 ? '转：都转发好了' : '转：已转发到群')}${
        open.every(group => group.isReceived)
          ? html`<span class="soft">您说过已看到</span>`
          : html`<form class="deed" method="post" action="${path}/received">${token(view.formToken)}<button class="second">收：已看到，稍后转</button></form>`
      }</div></div>`
    : ''
}
<div class="card"><ul class="plain">${groups.map(
    group =>
      html`<li class="own-group"><span>${group.name} <span class="soft">群号 ${group.id}</span> ${group.status === 'posted' ? tag('已到群', 'good') : isOver ? tag('不用再转') : group.isToRelay ? tag('待您转发', notice.deadlineAt < view.rt.clock.now() ? 'bad' : 'wait') : tag(waitingWords(group.status), group.status === 'withdrawn' ? 'quiet' : 'wait')}</span>${
        group.isToRelay && open.length > 1
          ? html`<form method="post" action="${path}/relayed">${token(view.formToken)}<input type="hidden" name="group" value="${group.id}"><button class="second">转</button></form>`
          : ''
      }</li>`,
  )}</ul></div>`
}

function waitingWords(status: string): string {
  return status === 'sent' ? '请在企业微信里确认群发' : (deliveryWords[status] ?? status)
}
