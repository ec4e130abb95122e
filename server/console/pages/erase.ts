import { eraseOwn, outlookOf } from '../../domain/privacy/erase.ts'
import { privacyPolicy } from '../../domain/privacy/policy.ts'
import { type Html, html } from '../../http/html.ts'
import { barePage, page } from '../layout.ts'
import { field, token } from '../parts.ts'
import type { Routes, View } from '../routes.ts'

const above: [string, string][] = [
  ['我的', '/me'],
  ['我的信息', '/me/data'],
]

/** `GET /me/erase`: somebody has what is known of them deleted. They are told what goes and what stays, and asked twice. */
export function erasePages(routes: Routes): void {
  routes.get('/me/erase', 'person', outlookPage)

  // asks once more, and does nothing yet
  routes.post('/me/erase', 'person', view => surePage(view))

  routes.post('/me/erase/sure', 'person', async view => {
    const { rt, viewer } = view
    const { name } = (view.request.body ?? {}) as { name?: unknown }
    const said = typeof name === 'string' ? name.trim() : ''
    if (said !== viewer.actor.person.name) {
      view.reply.code(422)
      return surePage(view, { said: said.slice(0, 50), fault: '请照写您的姓名，以免误点。什么也没有删除。' })
    }
    await eraseOwn(rt, viewer.actor)
    return barePage(
      '已删除',
      html`<p>您的信息已经删除，所有设备都已退出，账号不再与您对应。</p>
<p class="soft">以后还要用，请向上级组织要新的绑定码，或重新申请入群。</p>`,
    )
  })
}

async function outlookPage(view: View<null>): Promise<Html> {
  const { rt, viewer } = view
  const outlook = await outlookOf(rt, viewer.actor.person.id)
  return page(view, {
    title: '删除我的信息',
    part: 'me',
    above,
    body: html`<section class="card"><h2>删除什么</h2><p>${outlook.goes}。</p>
<p>马上删除，不能恢复：撤销导入、已经上传还没导入的名册，都不会把它们带回来。</p></section>
<section class="card"><h2>留下什么，为什么</h2><ul>${privacyPolicy.kept.map(each => html`<li><b>${each.what}</b>：${each.why}。</li>`)}</ul></section>
<section class="card"><h2>您会怎样</h2><ul>
<li>所有设备退出登录，聊天里也要重新绑定；收不到通知和提醒。</li>
${outlook.stands ? html`<li>您还在名册上：没有了号码，入群申请核对不了，要请群主当面核对。</li>` : ''}
${outlook.ownedGroups > 0 ? html`<li>您是 ${outlook.ownedGroups} 个群的群主：请先在群里换群主，否则这些群没有人收通知。</li>` : ''}
</ul></section>
<form class="deeds" method="post" action="/me/erase">${token(view.formToken)}<button class="grave">我要删除</button> <a class="button second" href="/me/data">不删除</a></form>`,
  })
}

function surePage(view: View<null>, { said = '', fault = null as string | null } = {}): Html {
  return page(view, {
    title: '再确认一次',
    part: 'me',
    above: [...above, ['删除我的信息', '/me/erase']],
    fault,
    body: html`<div class="card"><p>删除之后不能恢复。确定要删除，请写上您的姓名。</p>
<form method="post" action="/me/erase/sure">${token(view.formToken)}
${field('name', '您的姓名', { value: said, isRequired: true })}
<div class="deeds"><button class="grave">确定删除</button> <a class="button second" href="/me/data">不删除</a></div></form></div>`,
  })
}
