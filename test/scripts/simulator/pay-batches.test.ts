import { describe, expect, it } from 'vitest'
import { appid, codeOf, withMerchant, withReceiver } from './merchant.ts'

describe('the interfaces before 2025', () => {
  const BATCHES = '/v3/transfer/batches'
  const detail = (outDetailNo: string, change: object = {}) => ({
    out_detail_no: outDetailNo,
    transfer_amount: 5000,
    transfer_remark: '补贴',
    openid: 'oWangFang',
    ...change,
  })
  const batch = (details: object[], change: object = {}) => ({
    appid,
    out_batch_no: 'P1',
    batch_name: '三月补贴',
    batch_remark: '三月补贴',
    total_amount: details.length * 5000,
    total_num: details.length,
    transfer_detail_list: details,
    ...change,
  })

  it('are closed to new merchants', async () => {
    const { call } = await withMerchant()
    expect(codeOf(await call('POST', BATCHES, batch([detail('D1')])))).toEqual([403, 'NO_AUTH'])
  })

  it('pay a batch without asking the user and tell of it', async () => {
    const { call, pay, received, notify_url } = await withReceiver({ oldTransfers: true })
    const wanted = batch([detail('D1'), detail('D2', { openid: 'oNobody' })], { notify_url })
    const made = await call('POST', BATCHES, wanted)
    expect(made.body).toMatchObject({ out_batch_no: 'P1', batch_status: 'ACCEPTED' })
    expect((await call('POST', BATCHES, wanted)).body.batch_id).toBe(made.body.batch_id)
    expect(codeOf(await call('POST', BATCHES, { ...wanted, batch_name: '别的' }))).toEqual([
      400,
      'INVALID_REQUEST',
    ])
    const found = await call('GET', `${BATCHES}/out-batch-no/P1?need_query_detail=true&detail_status=ALL`)
    expect(found.body).toMatchObject({
      transfer_batch: { batch_status: 'FINISHED', success_amount: 5000, fail_num: 1 },
      transfer_detail_list: [
        { out_detail_no: 'D1', detail_status: 'SUCCESS' },
        { out_detail_no: 'D2', detail_status: 'FAIL' },
      ],
    })
    const second = await call('GET', `${BATCHES}/out-batch-no/P1/details/out-detail-no/D2`)
    expect(second.body).toMatchObject({ detail_status: 'FAIL', fail_reason: 'OPENID_INVALID' })
    const byId = `${BATCHES}/batch-id/${made.body.batch_id}/details/detail-id/${second.body.detail_id}`
    expect((await call('GET', byId)).body).toEqual(second.body)
    await pay.tick()
    expect(received[0]?.plain).toMatchObject({ out_batch_no: 'P1', batch_status: 'FINISHED', success_num: 1 })
    expect(pay.merchants()[0]?.balance).toBe(100_000_000 - 5000)
  })

  it.each<[string, object, unknown[]]>([
    ['a wrong sum', batch([detail('D1')], { total_amount: 1 }), [400, 'PARAM_ERROR']],
    ['a wrong number', batch([detail('D1')], { total_num: 2 }), [400, 'PARAM_ERROR']],
    ['a number twice', batch([detail('D1'), detail('D1')]), [400, 'PARAM_ERROR']],
    ['an empty list', batch([]), [400, 'PARAM_ERROR']],
    ['more than the account holds', batch([detail('D1')]), [403, 'NOT_ENOUGH']],
  ])('refuse %s', async (_what, body, expected) => {
    const { call } = await withMerchant({ oldTransfers: true, balance: 4999 })
    expect(codeOf(await call('POST', BATCHES, body))).toEqual(expected)
  })

  it('page through the details', async () => {
    const { call } = await withMerchant({ oldTransfers: true })
    await call('POST', BATCHES, batch(Array.from({ length: 25 }, (_, index) => detail(`D${index}`))))
    const page = async (search: string) => call('GET', `${BATCHES}/out-batch-no/P1?${search}`)
    expect(codeOf(await page('need_query_detail=true&detail_status=ALL&limit=5'))).toEqual([
      400,
      'PARAM_ERROR',
    ])
    const { body } = await page('need_query_detail=true&detail_status=SUCCESS&offset=20')
    expect(body.transfer_detail_list).toHaveLength(5)
    expect((await page('need_query_detail=false')).body.transfer_detail_list).toBeUndefined()
  })
})
