import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { identitiesOf } from '../../db/queries/identities.ts'
import { chineseMoment } from '../clock.ts'
import type { Viewer } from '../domain/access/policy.ts'
import { ownSignUp, type Participant, signUp, withdrawSignUp } from '../domain/activities/sign-up.ts'
import { activityKindName } from '../domain/activities/words.ts'
import { type Html, html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { barePage } from './layout.ts'
import { deed, tag } from './parts.ts'
import { checkForm, formToken, type SignedIn, viewerOfRequest } from './session.ts'
import { shortestWayIn } from './sign-in.ts'

const open = { config: { policy: 'public' as const } }

/**
 * `GET /a/:activityId`: the short address below an announced activity, where people sign up and take it back with one
 * tap. Inside WeChat or WeCom they are known by the platform's own login; who is bound to no person signs up in the chat.
 */
export function registerActivityDoor(app: FastifyInstance, rt: Runtime): void {
  app.get('/a/:activityId', open, async (request, reply) => {
    const activityId = numberIn(request)
    if (activityId === null) return notThere(reply)
    const signedIn = await viewerOfRequest(rt, request)
    if (!signedIn) return reply.redirect(shortestWayIn(rt, request, `/a/${activityId}`), 303)
    return show(rt, reply, signedIn, activityId)
  })

  for (const [what, act] of [
    ['sign-up', signUp],
    ['withdraw', withdrawSignUp],
  ] as const)
    app.post(`/a/:activityId/${what}`, open, async (request, reply) => {
      const activityId = numberIn(request)
      if (activityId === null) return notThere(reply)
      const signedIn = await viewerOfRequest(rt, request)
      if (!signedIn) return reply.redirect(shortestWayIn(rt, request, `/a/${activityId}`), 303)
      checkForm(rt, request, signedIn)
      const who = await participantOf(rt, signedIn.viewer)
      if (!who) return show(rt, reply, signedIn, activityId, '您还没有绑定微信账号，请在聊天里报名。')
      const result = await act(rt, who, activityId)
      if ('refused' in result) return show(rt, reply, signedIn, activityId, result.refused)
      return reply.redirect(`/a/${activityId}`, 303)
    })
}

function numberIn(request: FastifyRequest): number | null {
  const { activityId } = request.params as { activityId: string }
  return /^\d{1,9}$/.test(activityId) ? Number(activityId) : null
}

/** The account of whoever is signed in: the one that they came with, or the one that they used last. */
async function participantOf(rt: Runtime, { actor }: Viewer): Promise<Participant | null> {
  const personId = actor.person.id
  if (actor.identityId !== 0) return { identityId: actor.identityId, personId }
  const [account] = await identitiesOf(rt.db, personId)
  return account ? { identityId: account.id, personId } : null
}

async function show(
  rt: Runtime,
  reply: FastifyReply,
  signedIn: SignedIn,
  activityId: number,
  fault?: string,
): Promise<FastifyReply> {
  const who = (await participantOf(rt, signedIn.viewer)) ?? {
    identityId: 0,
    personId: signedIn.viewer.actor.person.id,
  }
  const found = await ownSignUp(rt, who, activityId)
  if (!found) return notThere(reply)
  const { activity, isOpen, isIn, hasCome } = found
  const token = formToken(rt, signedIn.token)
  const state = isIn ? tag('已报名', 'good') : isOpen ? tag('还没有报名', 'wait') : tag('报名已结束')
  if (fault !== undefined) reply.code(422)
  return send(
    reply,
    barePage(
      activity.title ?? activityKindName(rt.templates, activity.kind),
      html`${fault === undefined ? '' : html`<p class="fault" role="alert">${fault}</p>`}
<section class="card"><dl class="facts">
<dt>类别</dt><dd>${activityKindName(rt.templates, activity.kind)}</dd>
<dt>时间</dt><dd>${chineseMoment(activity.startsAt)}</dd>
<dt>地点</dt><dd>${activity.place ?? '见群里的预告'}</dd>
<dt>主办</dt><dd>${activity.unitName}</dd>
<dt>您</dt><dd>${signedIn.viewer.actor.person.name} ${hasCome ? tag('已签到', 'good') : state}</dd>
</dl>
${activity.status === 'cancelled' ? html`<p class="fault">这次活动不办了。</p>` : ''}
<div class="deeds">${
        !isOpen
          ? ''
          : isIn
            ? deed(`/a/${activityId}/withdraw`, token, '取消报名', { isGrave: true })
            : deed(`/a/${activityId}/sign-up`, token, '报名')
      }</div></section>
<p class="soft">报了名的，前一天会收到提醒。到了现场，照公布的签到码对群阵说：签到 签到码。名单只给发起活动的同志看。</p>`,
    ),
  )
}

function notThere(reply: FastifyReply): FastifyReply {
  return send(
    reply.code(404),
    barePage('没有这个活动', html`<p class="fault">没有这个活动，请核对群里的预告。</p>`),
  )
}

function send(reply: FastifyReply, content: Html): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(content.text)
}
