import { ChannelError } from '../channels/errors.ts'
import { remedyFor } from '../channels/remedies.ts'
import { MustWait } from '../limits.ts'
import { type Check, cannotTell, type Finding, mend } from './check.ts'

/** What a platform's refusal means for whoever looks after the server. Says nothing of what was asked. */
export function findingOf(check: Pick<Check, 'section'>, error: unknown): Finding {
  if (error instanceof MustWait)
    return cannotTell('眼下调用得太密，先让给正在发的消息。', '过一分钟再检查一次。')
  if (!(error instanceof ChannelError))
    return cannotTell('检查时我们自己出了错，日志里有原因。', '请看服务日志里的 “a check failed”。')
  const { platformCode, seenAddress } = error
  if (platformCode === null)
    return error.reason === 'unreachable'
      ? mend(
          `${error.message}。`,
          '检查服务器能否访问外网和平台的接口地址（防火墙、DNS、代理）；平台偶尔出错，过几分钟再检查一次。',
        )
      : mend(`${error.message}。`)
  const remedy = remedyFor(check.section, platformCode, callOf(error))
  const seen = seenAddress === null ? '' : `平台看到的出口 IP 是 ${seenAddress}，填这个。`
  if (remedy) {
    const [what, ...how] = remedy.words.split('。')
    return mend(
      `平台返回 ${platformCode}：${what}。`,
      [seen, how.join('。')].filter(words => words !== '').join(''),
    )
  }
  if (error.reason === 'token')
    return mend(
      `平台返回 ${platformCode}：access_token 刚换就失效，多半有别的程序在用同一个账号取 token。`,
      '停掉用同一 Secret 的其他程序，或给它另建应用；公众号请让它也改用稳定版接口（stable_token）。',
    )
  return mend(
    `平台返回 ${platformCode}，不接受这次调用。`,
    `${seen}原因和办法见 https://open.work.weixin.qq.com/devtool/query?e=${platformCode}`,
  )
}

/** An Official Account's 40001 is its secret's fault in the call for the token alone (`stable-token.ts`). */
function callOf({ reason, platformCode }: ChannelError): string {
  return platformCode === 40001 && reason === 'config' ? '/cgi-bin/stable_token' : ''
}
