import type { FastifyInstance } from 'fastify'
import { readContent } from '../api/contents.ts'
import { isRecord } from '../api/fields.ts'
import { ApiError, refuse } from '../api-error.ts'
import type { Core } from '../core.ts'
import { CONTENT_BYTES } from './replies.ts'
import { type Robot, showMessage } from './robot.ts'

/** Without the host's prefix: a careful server compares the path with the platform's before it writes there. */
const PATH = '/cgi-bin/aibot/response'
/** What the platform calls a code that is unknown, old or used. */
const BAD_CODE = 60140
const SLOW_MS = 6000

/** Serves `response_url`: one more answer, unencrypted, within an hour. @see developer.work.weixin.qq.com/document/path/101138 */
export function serveResponseUrl(app: FastifyInstance, core: Core, robot: () => Robot | undefined): void {
  app.post(PATH, async (request, reply) => {
    const began = performance.now()
    const slow = core.faults.strikes('slow-answers', PATH)
    if (slow) await new Promise(resolve => setTimeout(resolve, slow.ms ?? SLOW_MS).unref())
    const log = (errcode: number, status = 200) =>
      core.log.add('api', {
        host: 'qyapi.weixin.qq.com',
        path: PATH,
        errcode,
        ...(status === 200 ? {} : { status }),
        ms: Math.round(performance.now() - began),
      })
    if (core.faults.strikes('http-500', PATH)) {
      log(-1, 500)
      return reply.code(500).send('<html><body>500 Internal Server Error</body></html>')
    }
    let answer = { errcode: 0, errmsg: 'ok' }
    try {
      const query = request.query as { response_code?: string }
      takeAnswer(core, robot(), String(query.response_code ?? ''), request.body)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      answer = { errcode: error.errcode, errmsg: error.message }
    }
    log(answer.errcode)
    return reply.type('application/json; charset=UTF-8').send(JSON.stringify(answer))
  })
}

/** The address that goes with a message. */
export function responseUrlOf(core: Core, code: string): string {
  return `${core.url}${PATH}?response_code=${code}`
}

function takeAnswer(core: Core, robot: Robot | undefined, code: string, raw: unknown): void {
  const known = robot?.responseUrls.get(code)
  if (!robot || !known) refuse(BAD_CODE, 'invalid response_code')
  if (known.used) refuse(BAD_CODE, 'invalid response_code: used')
  if (known.expiresAt <= core.clock.now().getTime()) refuse(BAD_CODE, 'invalid response_code: expired')
  let body: unknown
  try {
    body = JSON.parse(Buffer.isBuffer(raw) ? raw.toString('utf8') : '')
  } catch {
    refuse(47001, 'data format error. Warning: wrong json format.')
  }
  if (!isRecord(body)) refuse(47001, 'data format error. Warning: wrong json format.')
  const content = readContent(core, body, {
    types: ['markdown', 'template_card'],
    textBytes: CONTENT_BYTES,
    overlong: 'refuse',
    markdownBytes: CONTENT_BYTES,
    cards: 'all',
    mediaOwner: '',
    where: 'aibot/response',
  })
  known.used = true
  const { personId, groupId, original } = known
  showMessage(core, robot, {
    from: 'bot',
    personId,
    kind: content.card ? 'template_card' : 'markdown',
    text: content.text,
    isFinished: true,
    ...(content.card ? { card: content.card } : {}),
    // only a group needs to see what is meant
    ...(groupId === undefined ? {} : { groupId, quote: original }),
  })
}
