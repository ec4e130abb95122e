import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import multipart from '@fastify/multipart'
import type { FastifyInstance } from 'fastify'
import { describeError } from '../../db/errors.ts'
import { endSession } from '../../db/queries/sessions.ts'
import { DomainError } from '../errors.ts'
import { statusOf } from '../http/errors.ts'
import { html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { registerActivityDoor } from './activity-door.ts'
import { registerAssets } from './assets.ts'
import { barePage } from './layout.ts'
import { endLiveStreams } from './live.ts'
import { registerNoticeDoor } from './notice-door.ts'
import { apiTokenPages } from './pages/api-tokens.ts'
import { auditPages } from './pages/audit.ts'
import { contactPages } from './pages/contacts.ts'
import { dangerPages } from './pages/danger.ts'
import { dutyReportPages } from './pages/duty-reports.ts'
import { erasePages } from './pages/erase.ts'
import { falseAlarmPages } from './pages/false-alarms.ts'
import { findingPages } from './pages/findings.ts'
import { formPages } from './pages/forms.ts'
import { groupPages } from './pages/groups.ts'
import { handOverPages } from './pages/hand-overs.ts'
import { importPages } from './pages/imports.ts'
import { joinRequestPages } from './pages/join-requests.ts'
import { matrixPages } from './pages/matrix.ts'
import { mePages } from './pages/me.ts'
import { monthPages } from './pages/months.ts'
import { noticeAnswerPages } from './pages/notice-answers.ts'
import { noticeChangePages } from './pages/notice-changes.ts'
import { noticeDraftPages } from './pages/notice-drafts.ts'
import { noticeWritingPages } from './pages/notice-writing.ts'
import { noticePages } from './pages/notices.ts'
import { answerPages } from './pages/own-notices.ts'
import { ownPaymentPages } from './pages/own-payments.ts'
import { personPages } from './pages/persons.ts'
import { readyPostPages } from './pages/ready-posts.ts'
import { recordPages } from './pages/records.ts'
import { rehearsalPages } from './pages/rehearsals.ts'
import { rosterPages } from './pages/roster.ts'
import { serverPages } from './pages/server.ts'
import { sheetPages } from './pages/sheets.ts'
import { slipPages, slipPicturePages } from './pages/slips.ts'
import { subsidyPages } from './pages/subsidies.ts'
import { subsidyPaymentPages } from './pages/subsidy-payments.ts'
import { subsidyRunPages } from './pages/subsidy-run.ts'
import { targetPages } from './pages/targets.ts'
import { unitPages } from './pages/unit.ts'
import { unitAccountPages } from './pages/unit-accounts.ts'
import { unitPlanPages } from './pages/unit-plans.ts'
import { volunteerPages } from './pages/volunteers.ts'
import { workSchedulePages } from './pages/work-schedule.ts'
import { workScheduleAdoptPages } from './pages/work-schedule-adopt.ts'
import { registerPayDoor } from './pay-door.ts'
import { registerRollCalls } from './roll-calls.ts'
import { askToSignIn, createRoutes, NotFound, type Routes } from './routes.ts'
import { dropSession, viewerOfRequest } from './session.ts'
import { registerSignIn } from './sign-in.ts'

/** All pages of the console, one file each. */
const pages: readonly ((routes: Routes) => void)[] = [
  matrixPages,
  unitPages,
  groupPages,
  findingPages,
  joinRequestPages,
  noticePages,
  noticeChangePages,
  noticeAnswerPages,
  noticeDraftPages,
  workSchedulePages,
  workScheduleAdoptPages,
  slipPages,
  falseAlarmPages,
  dangerPages,
  rehearsalPages,
  recordPages,
  readyPostPages,
  formPages,
  monthPages,
  sheetPages,
  unitPlanPages,
  unitAccountPages,
  dutyReportPages,
  targetPages,
  subsidyPages,
  subsidyRunPages,
  subsidyPaymentPages,
  ownPaymentPages,
  rosterPages,
  handOverPages,
  contactPages,
  volunteerPages,
  personPages,
  auditPages,
  serverPages,
  mePages,
  erasePages,
  apiTokenPages,
]

/** The largest file that is taken: of a roster (`server/domain/roster/read-table.ts`), or one that goes with a notice. */
const MAX_UPLOAD_BYTES = 20 * 1024 * 1024
/** All that one form may bring, because it is held in memory. */
const MAX_FORM_BYTES = 31 * 1024 * 1024
/** Pictures and files of one form of a notice, at most. */
const MAX_FILES = 12

/** Only our own files, no inline script or style, no frame around us. */
const headers = {
  'cache-control': 'private, no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  // with `no-referrer` browsers hide even from us where a form was sent from
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
}

/** The pages for people: sign-in, the console, and what a person sees of themselves. */
export async function registerConsole(app: FastifyInstance, rt: Runtime): Promise<void> {
  await app.register(async scope => {
    await scope.register(cookie)
    await scope.register(formbody, { bodyLimit: 1024 * 1024 })
    await scope.register(compress, { threshold: 1024, encodings: ['gzip'] })
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(headers)
      if (rt.publicUrl.startsWith('https:')) reply.header('strict-transport-security', 'max-age=31536000')
    })
    scope.addHook('onRoute', route => {
      if (!route.config?.policy) throw new Error(`${route.url} has no policy: say who may have it`)
    })
    scope.setErrorHandler((error, request, reply) => {
      const status = error instanceof NotFound ? 404 : statusOf(error)
      const about = { method: request.method, route: request.routeOptions.url, ...describeError(error) }
      if (status >= 500) rt.log.error(about, 'a page failed')
      else if (!(error instanceof NotFound)) rt.log.info(about, 'a page was refused')
      const [title, words] = sayError(status, error)
      reply.code(status).type('text/html; charset=utf-8')
      if (request.headers['hx-request'] === 'true')
        return reply.send(html`<p class="fault" role="alert">${words}</p>`.text)
      return reply.send(
        barePage(title, html`<p class="fault" role="alert">${words}</p><p><a href="/">回到首页</a></p>`).text,
      )
    })
    scope.addHook('preClose', async () => endLiveStreams(rt))
    registerAssets(scope)
    registerSignIn(scope, rt)
    registerNoticeDoor(scope, rt)
    registerActivityDoor(scope, rt)
    registerPayDoor(scope, rt)
    registerRollCalls(scope, rt)
    const routes = createRoutes(scope, rt)
    for (const register of pages) register(routes)
    await scope.register(uploads =>
      registerUploads(uploads, rt, 1, [importPages, answerPages, slipPicturePages]),
    )
    await scope.register(uploads => registerUploads(uploads, rt, MAX_FILES, [noticeWritingPages]))
    routes.post('/sign-out', 'person', async ({ viewer, reply }) => {
      await endSession(rt.db, viewer.actor.person.id, viewer.sessionId, rt.clock.now())
      dropSession(rt, reply)
      return reply.redirect('/sign-in', 303)
    })
  })
}

/**
 * The pages that take files. They are held in memory, so only those who are signed in get as far as sending some.
 * @param files of one form at most; with several a page says itself which is too large, and keeps the rest
 */
async function registerUploads(
  scope: FastifyInstance,
  rt: Runtime,
  files: number,
  takers: ((routes: Routes) => void)[],
): Promise<void> {
  await scope.register(multipart, {
    attachFieldsToBody: true,
    throwFileSizeLimit: files === 1,
    limits: { fileSize: MAX_UPLOAD_BYTES, files, fields: 700, fieldSize: 100_000 },
  })
  scope.addHook('onRequest', async (request, reply) => {
    if (!(await viewerOfRequest(rt, request))) return askToSignIn(request, reply)
    if (Number(request.headers['content-length'] ?? 0) > MAX_FORM_BYTES)
      throw new DomainError('form.too_large', '文件太大：一次合计至多 30 MB，请分几次传。')
  })
  const routes = createRoutes(scope, rt)
  for (const register of takers) register(routes)
}

function sayError(status: number, error: unknown): [title: string, words: string] {
  if (status === 404) return ['没有这个页面', '没有这个页面，或者您没有权限查看。']
  if (error instanceof DomainError) return ['没有办成', error.message]
  if (status === 413) return ['没有办成', '文件太大。']
  if (status < 500) return ['没有办成', '提交的内容不合要求，请返回检查。']
  return ['服务器出错', '服务器出错，没有办成。请稍后再试；一直这样请告诉系统管理员。']
}
