import { randomBytes } from 'node:crypto'
import { getJsApiSignature } from '@wecom/crypto'
import { callPlatform } from '../http.ts'
import { TokenSource } from '../token.ts'
import { numberOf, optionalTextOf, refuseUnless, requiredTextOf, textOf } from './answers.ts'
import type { OfficialAccountClient } from './client.ts'
import type { Login } from './ports.ts'

/** Where people are sent; the platform's page, whatever address the interface has. */
const AUTHORIZE_URL = 'https://open.weixin.qq.com/connect/oauth2/authorize'

/** 网页授权 and JS-SDK. @see https://developers.weixin.qq.com/doc/service/guide/h5/auth.html */
export function createLogin(client: OfficialAccountClient): Login {
  const { config, services, http } = client
  // a ticket is kept and shared as a token is: the platform gives few a day
  const tickets = new TokenSource('official-account/jsapi', services.tokens, services.now, async () => {
    const answer = await client.call({
      path: '/cgi-bin/ticket/getticket',
      query: { type: 'jsapi' },
      isSafe: true,
    })
    return { token: requiredTextOf(answer, 'ticket'), expiresInSeconds: numberOf(answer, 'expires_in') }
  })

  return {
    loginUrl(redirectUrl, state, scope) {
      client.require('oauth')
      refuseUnless(/^[0-9A-Za-z]{0,128}$/.test(state), '登录的 state 应为 128 个以内的字母和数字')
      // the platform's page wants its parameters in this order
      const query = new URLSearchParams({
        appid: config.appId,
        redirect_uri: redirectUrl,
        response_type: 'code',
        scope,
        state,
      })
      return `${AUTHORIZE_URL}?${query}#wechat_redirect`
    },

    async readLogin(code) {
      client.require('oauth')
      const answer = await callPlatform(http, {
        path: '/sns/oauth2/access_token',
        query: { appid: config.appId, secret: config.secret, code, grant_type: 'authorization_code' },
        isSafe: true,
      })
      const scopes = textOf(answer, 'scope').split(/[,\s]/)
      return {
        address: requiredTextOf(answer, 'openid'),
        unionId: optionalTextOf(answer, 'unionid'),
        isSnapshot: numberOf(answer, 'is_snapshotuser') === 1,
        profileToken: scopes.includes('snsapi_userinfo') ? optionalTextOf(answer, 'access_token') : null,
      }
    },

    async readProfile({ address, profileToken }) {
      client.require('oauth')
      const answer = await callPlatform(http, {
        path: '/sns/userinfo',
        query: { access_token: profileToken, openid: address, lang: 'zh_CN' },
        isSafe: true,
      })
      return {
        nickname: textOf(answer, 'nickname'),
        pictureUrl: textOf(answer, 'headimgurl'),
        unionId: optionalTextOf(answer, 'unionid'),
      }
    },

    signPage: pageUrl =>
      tickets.with(async ticket => {
        client.require('jssdk')
        const timestamp = Math.floor(services.now().getTime() / 1000)
        const nonceStr = randomBytes(12).toString('hex')
        const url = pageUrl.split('#')[0] ?? ''
        const { signature } = getJsApiSignature({ url, ticket, nonceStr, timestamp })
        return { appId: config.appId, timestamp, nonceStr, signature }
      }),
  }
}
