import type { OfficialAccountConfig } from '../../config.ts'
import { ChannelError } from '../errors.ts'
import { callPlatform, type PlatformHttp } from '../http.ts'
import type { ChannelServices } from '../services.ts'
import { readToken, TokenSource, type TokenStore } from '../token.ts'

/** @see https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html */
const FORCED_APART_MS = 30_000
const FORCED_A_DAY = 20
const DAY_MS = 24 * 3_600_000

/**
 * The account's access token by `stable_token`, which answers with the same token until it renews it.
 *
 * A token that calls refuse and that the platform still hands out is renewed by force, within the platform's limits.
 */
export function createTokenSource(
  http: PlatformHttp,
  config: Pick<OfficialAccountConfig, 'appId' | 'secret'>,
  services: Pick<ChannelServices, 'tokens' | 'now'>,
): TokenSource {
  let refused: string | null = null
  let forcedAt: number[] = []
  const store: TokenStore = {
    tokenFor(account, rejected, refresh) {
      refused = rejected
      return services.tokens.tokenFor(account, rejected, refresh)
    },
  }
  function mayForce(): boolean {
    const now = services.now().getTime()
    forcedAt = forcedAt.filter(moment => now - moment < DAY_MS)
    if (forcedAt.length >= FORCED_A_DAY || forcedAt.some(moment => now - moment < FORCED_APART_MS))
      return false
    forcedAt.push(now)
    return true
  }
  async function fetchToken(force: boolean) {
    const answer = await callPlatform(http, {
      path: '/cgi-bin/stable_token',
      body: {
        grant_type: 'client_credential',
        appid: config.appId,
        secret: config.secret,
        ...(force ? { force_refresh: true } : {}),
      },
      isSafe: true,
    }).catch(error => {
      // there is no token in this call, so what is wrong is the secret
      if (error instanceof ChannelError && error.reason === 'token')
        throw new ChannelError('config', error.message, {
          ...(error.platformCode === null ? {} : { platformCode: error.platformCode }),
          cause: error,
        })
      throw error
    })
    return readToken(answer)
  }
  return new TokenSource('official-account', store, services.now, async () => {
    const plain = await fetchToken(false)
    return plain.token === refused && mayForce() ? fetchToken(true) : plain
  })
}
