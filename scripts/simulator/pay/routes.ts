import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Core } from '../core.ts'
import * as answers from './answers.ts'
import type { Batch, BatchDetail, Batches } from './batches.ts'
import { readBillRequest } from './bill-request.ts'
import { type Bill, type Bills, CREATE_PATH } from './bills.ts'
import { PayError, refuseParameter, refusePay } from './error.ts'
import { NUMBER, parseBody, payText } from './fields.ts'
import type { Merchant } from './merchant.ts'
import type { Receipts } from './receipts.ts'
import { authenticate, type PayRequest, signedHeads } from './signing.ts'

const PREFIX = '/api.mch.weixin.qq.com'
const SLOW_MS = 6000

export interface PayBooks {
  merchants: Map<string, Merchant>
  bills: Bills
  batches: Batches
  receipts: Receipts
}

interface PayCall {
  merchant: Merchant
  request: PayRequest
  query: URLSearchParams
  /** Parts of the path that the endpoint names. */
  parts: string[]
}

interface Endpoint {
  method: 'GET' | 'POST'
  path: RegExp
  /** Calls a second and merchant. */
  perSecond: number
  run(books: PayBooks, call: PayCall): object
}

const serialOf = ({ headers }: PayRequest) => {
  const serial = headers['wechatpay-serial']
  return typeof serial === 'string' ? serial : undefined
}
const byOwnNumber = (number: string) => (bill: Bill) => bill.request.outBillNo === number
const byPlatformNumber = (number: string) => (bill: Bill) => bill.transferBillNo === number
const byBatch =
  (which: string, number: string) =>
  ({ request, batchId }: Batch) =>
    which === 'out-batch-no' ? request.outBatchNo === number : batchId === number

const BILLS = CREATE_PATH
const RECEIPTS = '/v3/fund-app/mch-transfer/elecsign'
const path = (source: string) => new RegExp(`^${source}$`)

const ENDPOINTS: Endpoint[] = [
  {
    method: 'POST',
    path: path(BILLS),
    perSecond: 100,
    run: ({ bills }, { merchant, request }) => {
      const wanted = readBillRequest(merchant, parseBody(request.body), serialOf(request))
      return answers.createAnswer(bills.create(merchant, wanted))
    },
  },
  {
    method: 'GET',
    path: path(`${BILLS}/out-bill-no/([^/]+)`),
    perSecond: 100,
    run: ({ bills }, { merchant, parts: [number = ''] }) =>
      answers.queryAnswer(bills.find(merchant, byOwnNumber(number))),
  },
  {
    method: 'GET',
    path: path(`${BILLS}/transfer-bill-no/([^/]+)`),
    perSecond: 100,
    run: ({ bills }, { merchant, parts: [number = ''] }) =>
      answers.queryAnswer(bills.find(merchant, byPlatformNumber(number))),
  },
  {
    method: 'POST',
    path: path(`${BILLS}/out-bill-no/([^/]+)/cancel`),
    perSecond: 20,
    run: ({ bills }, { merchant, request, parts: [number = ''] }) => {
      // without a body or with an empty object, both are right
      if (request.body !== '') parseBody(request.body)
      const bill = bills.find(merchant, byOwnNumber(number))
      bills.cancel(bill)
      return answers.cancelAnswer(bill)
    },
  },
  {
    method: 'POST',
    path: path(`${RECEIPTS}/out-bill-no`),
    perSecond: 20,
    run: ({ bills, receipts }, { merchant, request }) => {
      const number = payText(parseBody(request.body), 'out_bill_no', 32, NUMBER)
      return receipts.request(bills.find(merchant, byOwnNumber(number)))
    },
  },
  {
    method: 'GET',
    path: path(`${RECEIPTS}/out-bill-no/([^/]+)`),
    perSecond: 20,
    run: ({ bills, receipts }, { merchant, parts: [number = ''] }) =>
      receipts.query(bills.find(merchant, byOwnNumber(number))),
  },
  {
    method: 'POST',
    path: path('/v3/transfer/batches'),
    perSecond: 50,
    run: ({ batches }, { merchant, request }) =>
      answers.batchCreateAnswer(batches.create(merchant, parseBody(request.body), serialOf(request))),
  },
  {
    method: 'GET',
    path: path('/v3/transfer/batches/(out-batch-no|batch-id)/([^/]+)'),
    perSecond: 50,
    run: ({ batches }, { merchant, query, parts: [which = '', number = ''] }) => {
      const page = readPage(query)
      const batch = batches.find(merchant, byBatch(which, number))
      return { transfer_batch: answers.batchAnswer(batch), ...detailPage(batch, page) }
    },
  },
  {
    method: 'GET',
    path: path('/v3/transfer/batches/out-batch-no/([^/]+)/details/out-detail-no/([^/]+)'),
    perSecond: 50,
    run: ({ batches }, { merchant, parts: [number = '', detail = ''] }) => {
      const batch = batches.find(merchant, byBatch('out-batch-no', number))
      return findDetail(batch, candidate => candidate.outDetailNo === detail)
    },
  },
  {
    method: 'GET',
    path: path('/v3/transfer/batches/batch-id/([^/]+)/details/detail-id/([^/]+)'),
    perSecond: 50,
    run: ({ batches }, { merchant, parts: [number = '', detail = ''] }) => {
      const batch = batches.find(merchant, byBatch('batch-id', number))
      return findDetail(batch, candidate => candidate.detailId === detail)
    },
  },
  {
    method: 'GET',
    path: path('/v3/certificates'),
    perSecond: 100,
    run: (_books, { merchant }) =>
      answers.certificatesAnswer(merchant) ??
      refusePay(404, 'RESOURCE_NOT_EXISTS', '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥'),
  },
]

interface Page {
  wanted: boolean
  offset: number
  limit: number
  state: string
}

function readPage(query: URLSearchParams): Page {
  const need = query.get('need_query_detail')
  if (need !== 'true' && need !== 'false') refuseParameter('need_query_detail须为true或false')
  const offset = Number(query.get('offset') ?? 0)
  const limit = Number(query.get('limit') ?? 20)
  if (!Number.isInteger(offset) || offset < 0) refuseParameter('offset须为不小于0的整数')
  if (!Number.isInteger(limit) || limit < 20 || limit > 100) refuseParameter('limit须为20到100的整数')
  const state = query.get('detail_status') ?? ''
  if (need === 'true' && !['ALL', 'SUCCESS', 'FAIL'].includes(state))
    refuseParameter('detail_status须为ALL、SUCCESS或FAIL')
  return { wanted: need === 'true', offset, limit, state }
}

function detailPage(batch: Batch, { wanted, offset, limit, state }: Page): object {
  if (!wanted) return {}
  const all = batch.details.filter(detail => state === 'ALL' || detail.state === state)
  return {
    transfer_detail_list: all.slice(offset, offset + limit).map(detail => ({
      detail_id: detail.detailId,
      out_detail_no: detail.outDetailNo,
      detail_status: detail.state,
    })),
    offset,
    limit,
  }
}

function findDetail(batch: Batch, matches: (detail: BatchDetail) => boolean): object {
  const detail = batch.details.find(matches) ?? refusePay(404, 'NOT_FOUND', '记录不存在')
  return answers.detailAnswer(batch, detail)
}

/** Serves https://api.mch.weixin.qq.com under its host name. @param settle is called after each call. */
export function servePayCalls(app: FastifyInstance, core: Core, books: PayBooks, settle: () => void): void {
  app.get<{ Querystring: { token?: string } }>(`${PREFIX}/v3/billdownload/file`, (request, reply) => {
    const pdf = books.receipts.download(request.query.token ?? '')
    return pdf ? reply.type('application/pdf').send(pdf) : reply.code(404).send()
  })

  const handler = async (incoming: FastifyRequest, reply: FastifyReply) => {
    const began = performance.now()
    const [route = '', search = ''] = incoming.url.slice(PREFIX.length).split('?')
    const request: PayRequest = {
      method: incoming.method,
      url: incoming.url,
      path: incoming.url.slice(PREFIX.length),
      headers: incoming.headers,
      body: Buffer.isBuffer(incoming.body) ? incoming.body.toString('utf8') : '',
    }
    const slow = core.faults.strikes('slow-answers', route)
    if (slow) await new Promise(resolve => setTimeout(resolve, slow.ms ?? SLOW_MS).unref())
    let status = 200
    let answer: object = {}
    let merchant: Merchant | undefined
    try {
      merchant = authenticate(core, books.merchants, request)
      answer = runCall(
        core,
        books,
        { merchant, request, query: new URLSearchParams(search), parts: [] },
        route,
      )
    } catch (error) {
      if (!(error instanceof PayError)) {
        core.log.add('error', {
          where: route,
          message: error instanceof Error ? error.message : String(error),
        })
        answer = { code: 'SYSTEM_ERROR', message: '系统异常，请稍后再试' }
        status = 500
      } else {
        answer = { code: error.code, message: error.message }
        status = error.status
      }
    }
    const code = 'code' in answer ? { code: answer.code } : {}
    const ms = Math.round(performance.now() - began)
    core.log.add('api', {
      host: 'api.mch.weixin.qq.com',
      method: request.method,
      path: route,
      status,
      ...code,
      ms,
    })
    settle()
    const body = JSON.stringify(answer)
    reply.code(status).header('request-id', core.ids.letters(32)).type('application/json; charset=utf-8')
    // nobody answers for a request that could not be told whose it is, nor for a broken server
    if (merchant && status !== 500) {
      const isProbe = core.faults.strikes('pay-sign-test', route) !== undefined
      reply.headers(signedHeads(core, merchant, body, isProbe))
    }
    return reply.send(body)
  }
  app.route({ method: ['GET', 'POST'], url: `${PREFIX}/*`, handler })
}

function runCall(core: Core, books: PayBooks, call: PayCall, route: string): object {
  const { merchant, request } = call
  if (core.faults.strikes('pay-http-500', route)) refusePay(500, 'SYSTEM_ERROR', '系统异常，请稍后再试')
  const found = ENDPOINTS.find(({ method, path }) => method === request.method && path.test(route))
  if (!found) refusePay(404, 'RESOURCE_NOT_EXISTS', '模拟器没有这个接口')
  const key = `pay|${merchant.settings.mchId}|${found.method} ${found.path.source}`
  const isOften = core.limits.has('payFrequency') && !core.limits.take(key, found.perSecond, 1000)
  if (isOften || core.faults.strikes('pay-frequency', route))
    refusePay(429, 'FREQUENCY_LIMITED', '频率超限，请降低频率后重试')
  if (request.method === 'GET' && core.faults.strikes('pay-not-found', route))
    refusePay(404, 'NOT_FOUND', '记录不存在')
  const parts = (found.path.exec(route) ?? []).slice(1).map(decodeURIComponent)
  return found.run(books, { ...call, parts })
}
