import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ChannelError } from '../channels/errors.ts'
import { readBatchNotice } from '../channels/wechat-pay/batches.ts'
import { readBillNews } from '../channels/wechat-pay/bills.ts'
import { PAY_NOTIFY_PATH } from '../domain/subsidies/approve.ts'
import { takeBillNews } from '../domain/subsidies/settle.ts'
import type { Runtime } from '../runtime.ts'

/** A notification is a few hundred bytes. */
const MAX_BODY_BYTES = 64 * 1024

const merchantForm = z.object({ mchid: z.string() })

/**
 * `POST /webhooks/wechat-pay`: how a payment ended, as WeChat Pay tells it. The raw body is checked before anything in it
 * is read: forged, altered, stale, a probe, or another merchant's is refused, and the log says why and nothing else.
 */
export function registerPayNotices(app: FastifyInstance, rt: Runtime): void {
  const { wechatPay } = rt.channels
  if (!wechatPay) return
  const { mchId } = wechatPay.port
  app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: MAX_BODY_BYTES },
      (_request, body, done) => done(null, body),
    )
    scope.post(PAY_NOTIFY_PATH, async (request, reply) => {
      const body = typeof request.body === 'string' ? request.body : ''
      try {
        const { event, plain } = await wechatPay.openNotice(request.headers, body)
        const merchant = merchantForm.safeParse(plain)
        if (!merchant.success || merchant.data.mchid !== mchId)
          throw new ChannelError('signature', 'meant for another merchant')
        const isOurs = event.startsWith('MCHTRANSFER.BATCH.')
          ? await lookAtBatch(rt, plain)
          : await takeBillNews(rt, readBillNews(plain))
        if (!isOurs) rt.log.warn('a notification is about a payment that is not ours')
      } catch (error) {
        if (!(error instanceof ChannelError)) throw error
        rt.log.warn({ reason: error.reason, why: error.message }, 'a notification of WeChat Pay was refused')
        return reply.code(error.reason === 'signature' ? 401 : 400).send({ code: 'FAIL', message: '' })
      }
      return reply.code(204).send()
    })
  })
}

/** A batch says that it is done and not how: that is asked for. */
async function lookAtBatch(rt: Runtime, plain: unknown): Promise<boolean> {
  const { number } = readBatchNotice(plain)
  const news = await rt.channels.wechatPay?.port.find(number)
  return news ? takeBillNews(rt, news) : false
}
