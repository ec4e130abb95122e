import type { OfficialAccountConfig } from '../../config.ts'
import { type Capability, requireCapability } from '../capabilities.ts'
import { callPlatform, type PlatformAnswer, type PlatformCall, type PlatformHttp } from '../http.ts'
import type { ChannelServices } from '../services.ts'
import type { TokenSource } from '../token.ts'
import { officialAccountCodes } from './codes.ts'
import { createTokenSource } from './stable-token.ts'

/** What the parts of the channel share. */
export interface OfficialAccountClient {
  config: OfficialAccountConfig
  services: ChannelServices
  http: PlatformHttp
  tokens: TokenSource
  /** A call with the account's token. @throws ChannelError */
  call(request: PlatformCall): Promise<PlatformAnswer>
  /** @throws ChannelError `config` before anything is sent, saying why this account cannot and what to do instead */
  require(capability: Capability): void
}

export function createClient(
  config: OfficialAccountConfig,
  services: ChannelServices,
): OfficialAccountClient {
  const http: PlatformHttp = {
    channel: 'official-account',
    baseUrl: config.baseUrl,
    trace: services.trace,
    codes: officialAccountCodes,
  }
  const tokens = createTokenSource(http, config, services)
  return {
    config,
    services,
    http,
    tokens,
    call: request =>
      tokens.with(token =>
        callPlatform(http, { ...request, query: { access_token: token, ...request.query } }),
      ),
    require: capability => requireCapability(config, capability),
  }
}
