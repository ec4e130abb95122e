import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { chineseMoment } from '../clock.ts'
import { answerByAccount, answerByPhone, findRollCall } from '../domain/groups/roll-call.ts'
import { type Html, html } from '../http/html.ts'
import type { Runtime } from '../runtime.ts'
import { barePage } from './layout.ts'
import { field, token as tokenField } from './parts.ts'
import { checkForm, checkOrigin, formToken, viewerOfRequest } from './session.ts'

const open = { config: { policy: 'public' as const } }

const given = z.object({
  name: z.string().trim().max(40).catch(''),
  tail: z.string().trim().max(8).catch(''),
})

/**
 * `GET /roll-calls/:token`: the page behind a link that an owner posts in a group (签到). Whoever is signed in says with one
 * tap that they are in the group, all others give their name and the end of their phone number. The page says nothing of
 * anybody: not who belongs, nor who has signed in, nor whether what was given fitted.
 */
export function registerRollCalls(app: FastifyInstance, rt: Runtime): void {
  app.get('/roll-calls/:token', open, async (request, reply) => {
    const { token } = request.params as { token: string }
    const [rollCall, signedIn] = await Promise.all([findRollCall(rt, token), viewerOfRequest(rt, request)])
    if (!rollCall) return over(reply)
    const until = html`<p class="soft">签到到 ${chineseMoment(rollCall.closesAt)} 为止。只用来核对群成员，不公开谁签了到。</p>`
    const path = `/roll-calls/${token}`
    return send(
      reply,
      barePage(
        `“${rollCall.group.name}”签到`,
        signedIn
          ? html`<div class="card"><p>您是 <b>${signedIn.viewer.actor.person.name}</b>，确认您在这个群里：</p>
<form method="post" action="${path}">${tokenField(formToken(rt, signedIn.token))}<button>签到</button></form></div>${until}`
          : html`<form class="card" method="post" action="${path}">
${field('name', '姓名', { isRequired: true, attributes: html`autocomplete="name" maxlength="40"` })}
${field('tail', '手机号后四位', { isRequired: true, hint: '名册上登记的手机号', attributes: html`inputmode="numeric" pattern="[0-9]{4}" maxlength="4" autocomplete="off"` })}
<button>签到</button></form>
<p>账号绑定过的，可以<a href="/sign-in?to=${encodeURIComponent(path)}">登录后一键签到</a>。</p>${until}`,
      ),
    )
  })

  app.post('/roll-calls/:token', open, async (request, reply) => {
    const { token } = request.params as { token: string }
    const [rollCall, signedIn] = await Promise.all([findRollCall(rt, token), viewerOfRequest(rt, request)])
    if (!rollCall) return over(reply)
    if (signedIn) {
      checkForm(rt, request, signedIn)
      await answerByAccount(rt, rollCall, signedIn.viewer.actor.person.id)
    } else {
      checkOrigin(rt, request)
      await answerByPhone(rt, rollCall, given.parse(request.body ?? {}), request.ip)
    }
    return send(
      reply,
      barePage(
        '已收到',
        signedIn
          ? html`<p class="said" role="status">已签到，可以关闭这个页面了。</p>`
          : html`<p class="said" role="status">已收到。与名册对得上的计入签到，对不上的群主会另外核实。</p>
<p>写错了？<a href="/roll-calls/${token}">重新填写</a>。试得太多就要等一小时；账号绑定过的，随时可以<a href="/sign-in?to=${encodeURIComponent(`/roll-calls/${token}`)}">登录后一键签到</a>。</p>`,
      ),
    )
  })
}

function over(reply: FastifyReply): FastifyReply {
  return send(
    reply.code(404),
    barePage(
      '签到已结束',
      html`<p class="fault">这次签到已经结束，或者链接不对。需要的话请群主重新发起。</p>`,
    ),
  )
}

function send(reply: FastifyReply, content: Html): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(content.text)
}
