import { newLoginCode } from './api/official-login.ts'
import { mayLogIn } from './api/official-permissions.ts'
import { type MassMessage, stateOf, type TemplateOutcome } from './api/official-state.ts'
import { type Core, mainAccount } from './core.ts'
import { tellAccount } from './official-events.ts'
import { failOverdueMasses, finishMass, refuseMass } from './official-mass-jobs.ts'
import { type MenuDetails, tapMenu } from './official-menu-taps.ts'
import type { Reply } from './types.ts'
import type { PersonRecord } from './world.ts'

export type SubscriptionAnswer = 'accept' | 'reject'

/** What people and administrators do with the Official Account, beyond chatting. All of it with the first account. */
export interface OfficialActors {
  /** Scans a code by its ticket, its content or its picture's address: follows with its scene, or only scans. */
  scan(personId: string, code: string): Promise<Reply[]>
  /** Taps an entry of the account's menu by its name. */
  tapMenu(personId: string, name: string, details?: MenuDetails): Promise<Reply[]>
  /**
   * Opens the address of a login page in WeChat and agrees.
   * @returns where the browser is led: the page with `code` and `state`
   * @throws Error with what WeChat shows instead
   */
  login(personId: string, loginUrl: string, how?: { snapshot?: boolean }): string
  /** Answers the pop-up that asks for consent to notices; each `accept` lets one more through. */
  answerPopup(personId: string, answers: Record<string, SubscriptionAnswer>, scene?: 1 | 2): Promise<Reply[]>
  /** Changes one's consent in the account's settings. */
  changeConsent(personId: string, answers: Record<string, SubscriptionAnswer>): Promise<Reply[]>
  /** Takes back what was authorised; the account must delete it. */
  revokeAuthorization(personId: string, revoked?: string): Promise<void>
  /** How template messages to somebody end from now on. */
  setTemplateOutcome(personId: string, outcome: TemplateOutcome): void
  /** An editor writes an article in the console. @returns its media_id */
  addArticle(title: string): string
  /** Mass messages that wait for an administrator. */
  massesToConfirm(): { msgId: string; text: string; until: Date }[]
  /** An administrator confirms on the phone. @throws Error when it is too late */
  confirmMass(msgId: string): void
  rejectMass(msgId: string): void
}

/** The address of a code's picture. */
const PICTURE = /^https:\/\/mp\.weixin\.qq\.com\/cgi-bin\/showqrcode\?ticket=(.+)$/

export function createOfficialActors(core: Core): OfficialActors {
  const account = () => mainAccount(core)

  function personWithOpenId(personId: string): PersonRecord & { openId: string } {
    const person = core.world.person(personId)
    if (person.openId === undefined) throw new Error(`${person.name} has no openid`)
    return person as PersonRecord & { openId: string }
  }

  function awaiting(msgId: string): MassMessage {
    failOverdueMasses(core, account())
    const message = stateOf(account()).masses.get(msgId)
    if (message?.status !== 'awaiting') throw new Error(`mass message ${msgId} does not wait for anybody`)
    return message
  }

  function noteAnswers(openId: string, answers: Record<string, SubscriptionAnswer>, inSettings: boolean) {
    const { consents } = stateOf(account())
    for (const [templateId, answer] of Object.entries(answers)) {
      const template = account().subscriptionTemplates?.[templateId]
      if (!template) throw new Error(`the account has no template ${templateId}`)
      const key = `${openId} ${templateId}`
      const before = consents.get(key) ?? 0
      if (answer === 'accept') consents.set(key, template.longTerm ? Number.POSITIVE_INFINITY : before + 1)
      else if (inSettings) consents.set(key, 0)
    }
  }

  const listOf = (answers: Record<string, SubscriptionAnswer>, more: Record<string, number> = {}) => ({
    List: Object.entries(answers).map(([id, answer]) => ({
      TemplateId: id,
      SubscribeStatusString: answer,
      ...more,
    })),
  })

  return {
    async scan(personId, code) {
      const person = personWithOpenId(personId)
      const ticket = PICTURE.exec(code)?.[1]
      const wanted = ticket === undefined ? code : decodeURIComponent(ticket)
      const found = [...stateOf(account()).sceneCodes.values()].find(
        each => each.ticket === wanted || each.url === wanted,
      )
      const now = core.clock.now()
      if (!found) throw new Error('no such code')
      if (found.expiresAt !== undefined && found.expiresAt <= now.getTime()) throw new Error('该二维码已过期')
      const before = person.follows
      if (!before) {
        person.follows = true
        person.followedAt = now
        person.followScene = found.scene
      }
      core.log.add(before ? 'scan' : 'follow', { personId, scene: found.scene })
      core.windows.open(person.openId, before ? 'scan' : 'subscribe')
      return tellAccount(core, account(), person, {
        Event: before ? 'SCAN' : 'subscribe',
        EventKey: before ? found.scene : `qrscene_${found.scene}`,
        Ticket: found.ticket,
      })
    },

    async tapMenu(personId, name, details = {}) {
      const person = personWithOpenId(personId)
      if (!person.follows) throw new Error(`${person.name} does not follow the Official Account`)
      return tapMenu(core, account(), person, name, details)
    },

    login(personId, loginUrl, how = {}) {
      const person = personWithOpenId(personId)
      const url = new URL(loginUrl)
      const query = url.searchParams
      const redirect = query.get('redirect_uri') ?? ''
      const scope = query.get('scope') ?? ''
      if (`${url.origin}${url.pathname}` !== 'https://open.weixin.qq.com/connect/oauth2/authorize')
        throw new Error('not a login page')
      if (query.get('appid') !== account().appId) throw new Error('AppID 参数错误 10013')
      if (query.get('response_type') !== 'code' || !/^snsapi_(base|userinfo)$/.test(scope))
        throw new Error('Scope 参数错误或没有 Scope 权限')
      if (!mayLogIn(account())) throw new Error('Scope 参数错误或没有 Scope 权限 10005')
      if (url.hash !== '#wechat_redirect') throw new Error('#wechat_redirect is missing')
      if (!URL.canParse(redirect)) throw new Error('redirect_uri 参数错误 10003')
      const target = new URL(redirect)
      const { loginDomain } = account()
      if (loginDomain !== undefined && target.hostname !== loginDomain)
        throw new Error('redirect_uri 域名与后台配置不一致 10003')
      // a visitor of a snapshot gets ids that belong to nobody
      const who = how.snapshot
        ? { openId: `oSnapshot${core.ids.letters(19)}`, isSnapshot: true }
        : {
            openId: person.openId,
            isSnapshot: false,
            ...(person.unionId === undefined ? {} : { unionId: person.unionId }),
          }
      target.searchParams.set('code', newLoginCode(core, account(), { ...who, scope }))
      target.searchParams.set('state', query.get('state') ?? '')
      core.log.add('login', { personId, scope, snapshot: who.isSnapshot })
      return target.href
    },

    async answerPopup(personId, answers, scene = 1) {
      const person = personWithOpenId(personId)
      noteAnswers(person.openId, answers, false)
      return tellAccount(core, account(), person, {
        Event: 'subscribe_msg_popup_event',
        SubscribeMsgPopupEvent: listOf(answers, { PopupScene: scene }),
      })
    },

    async changeConsent(personId, answers) {
      const person = personWithOpenId(personId)
      noteAnswers(person.openId, answers, true)
      return tellAccount(core, account(), person, {
        Event: 'subscribe_msg_change_event',
        SubscribeMsgChangeEvent: listOf(answers),
      })
    },

    async revokeAuthorization(personId, revoked = '1,2') {
      const person = personWithOpenId(personId)
      core.log.add('revoked', { personId, revoked })
      await tellAccount(core, account(), person, {
        Event: 'user_authorization_revoke',
        OpenID: person.openId,
        AppID: account().appId,
        RevokeInfo: revoked,
      })
    },

    setTemplateOutcome(personId, outcome) {
      stateOf(account()).templateOutcomes.set(personWithOpenId(personId).openId, outcome)
    },

    addArticle(title) {
      const id = core.ids.letters(43)
      stateOf(account()).articles.set(id, title)
      return id
    },

    massesToConfirm() {
      failOverdueMasses(core, account())
      return [...stateOf(account()).masses.values()]
        .filter(message => message.status === 'awaiting')
        .map(({ msgId, content, confirmUntil }) => ({
          msgId,
          text: content.text,
          until: new Date(confirmUntil),
        }))
    },

    confirmMass(msgId) {
      finishMass(core, account(), awaiting(msgId))
    },

    rejectMass(msgId) {
      refuseMass(core, account(), awaiting(msgId), 'rejected')
    },
  }
}
