import type { FastifyInstance } from 'fastify'
import { noticePolicy, ownNoticePolicy } from '../domain/access/notices.ts'
import { html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { barePage } from './layout.ts'
import { viewerOfRequest } from './session.ts'
import { shortestWayIn } from './sign-in.ts'

/**
 * `GET /n/:noticeId`: the short address that stands below a notice in the groups. Whoever opens it inside WeChat or WeCom
 * is known by the platform's own login, and comes to their page of the notice, where the opening is noted. It says
 * nothing of a notice to somebody whom it does not concern.
 */
export function registerNoticeDoor(app: FastifyInstance, rt: Runtime): void {
  app.get('/n/:noticeId', { config: { policy: 'public' as const } }, async (request, reply) => {
    const { noticeId } = request.params as { noticeId: string }
    const isNumber = /^\d{1,9}$/.test(noticeId)
    const signedIn = isNumber ? await viewerOfRequest(rt, request) : null
    if (isNumber && !signedIn) return reply.redirect(shortestWayIn(rt, request, `/n/${noticeId}`), 303)
    if (signedIn) {
      const { viewer } = signedIn
      if (await ownNoticePolicy.find(rt, viewer, Number(noticeId)))
        return reply.redirect(`/me/notices/${noticeId}`, 303)
      if (await noticePolicy.find(rt, viewer, Number(noticeId)))
        return reply.redirect(`/console/notices/${noticeId}`, 303)
    }
    return reply
      .code(404)
      .type('text/html; charset=utf-8')
      .send(
        barePage(
          '通知没有找到',
          html`<div class="card"><p>这个通知不在您名下的群里，所以打不开；群里的原文照样算数，请按它办。</p>
<p>您确实在收到它的群里，只是系统还不知道：请在聊天里发送“入群 群号”登记一下（群号问群主），再点开这个链接。</p>
<p><a href="/me/notices">看发给我的通知</a></p></div>`,
        ).text,
      )
  })
}
