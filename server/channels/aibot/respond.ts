import { ChannelError, type ChannelErrorCode } from '../errors.ts'
import { callPlatform } from '../http.ts'
import type { ChannelServices } from '../services.ts'

/** @see https://developer.work.weixin.qq.com/document/path/101138 */
const RESPONSE_PATH = '/cgi-bin/aibot/response'

const codes: ReadonlyMap<number, ChannelErrorCode> = new Map([
  [-1, 'unreachable'],
  [45009, 'throttled'],
  [45033, 'throttled'],
  // used before, or older than an hour
  [60140, 'window_closed'],
])

/**
 * Answers once by the `response_url` of a message, within an hour of it. In a group it quotes the message.
 * @param markdown at most 20,480 UTF-8 bytes
 * @param baseUrl as configured for WeCom: the only host besides WeCom's own that is ever written to
 * @throws ChannelError; `malformed` when the address is not one of the platform's
 */
export async function respondOnce(
  { trace, baseUrl }: Pick<ChannelServices, 'trace'> & { baseUrl: string },
  responseUrl: string,
  markdown: string,
): Promise<void> {
  if (!isResponseUrl(responseUrl, baseUrl))
    throw new ChannelError('malformed', 'the address to answer to is not of the platform')
  const url = new URL(responseUrl)
  await callPlatform(
    { channel: 'aibot', baseUrl: url.origin, trace, codes },
    {
      path: RESPONSE_PATH,
      query: Object.fromEntries(url.searchParams),
      body: { msgtype: 'markdown', markdown: { content: markdown } },
    },
  )
}

/** WeCom's own hosts. The interface is named apart, because the configured address may be a proxy before it. */
const platformHost = /^(?:qyapi\.weixin|(?:[a-z0-9-]+\.)+work\.weixin)\.qq\.com$/

/** Whether an address may be answered to: WeCom's own over TLS, or exactly the configured one. */
export function isResponseUrl(address: string, baseUrl: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (url.username !== '' || url.password !== '' || url.pathname !== RESPONSE_PATH) return false
  if (url.origin === new URL(baseUrl).origin) return true
  return url.protocol === 'https:' && url.port === '' && platformHost.test(url.hostname)
}
