import { sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  appid,
  BILLS,
  codeOf,
  isGenuine,
  mchId,
  merchantKey,
  type Spoil,
  serial,
  withMerchant,
} from './merchant.ts'

const HOUR = 3_600_000

describe('requests to WeChat Pay', () => {
  it('make a bill that waits for the user, and the answer is signed', async () => {
    const { create, pay } = await withMerchant()
    const { status, body, raw, headers } = await create('B1')
    expect(status).toBe(200)
    expect(body).toEqual({
      out_bill_no: 'B1',
      transfer_bill_no: expect.stringMatching(/^\d{20,}$/),
      create_time: '2026-03-05T10:00:00+08:00',
      state: 'WAIT_USER_CONFIRM',
      package_info: expect.any(String),
    })
    expect(pay.platform().serial).toMatch(/^PUB_KEY_ID_/)
    expect(isGenuine(name => headers.get(name) ?? '', raw, pay.platform())).toBe(true)
    expect(isGenuine(name => headers.get(name) ?? '', `${raw} `, pay.platform())).toBe(false)
  })

  it('are signed over the path with or without the prefix that stands for the host', async () => {
    const { call, sim } = await withMerchant()
    const answer = await call('GET', `${BILLS}/out-bill-no/B1`)
    expect(codeOf(answer)).toEqual([404, 'NOT_FOUND'])
    const path = new URL(`${sim.baseUrls.pay}${BILLS}/out-bill-no/B1`).pathname
    const nonce = 'n'.repeat(32)
    const timestamp = Date.parse('2026-03-05T10:00:00+08:00') / 1000
    const signature = sign(
      'RSA-SHA256',
      Buffer.from(`GET\n${path}\n${timestamp}\n${nonce}\n\n`),
      merchantKey.privateKey,
    ).toString('base64')
    const authorization = `WECHATPAY2-SHA256-RSA2048 mchid="${mchId}",serial_no="${serial}",nonce_str="${nonce}",timestamp="${timestamp}",signature="${signature}"`
    const full = await fetch(`${sim.url}${path}`, { headers: { authorization, accept: '*/*' } })
    expect(full.status).toBe(404)
  })

  it.each<[string, Spoil]>([
    ['of another merchant', { mchid: '1900000002' }],
    ['with another serial number', { serial: 'ABC' }],
    ['older than five minutes', { timestamp: Date.parse('2026-03-05T09:54:59+08:00') / 1000 }],
    ['from the future', { timestamp: Date.parse('2026-03-05T10:05:01+08:00') / 1000 }],
    ['signed over another body', { signedBody: '{}' }],
    ['without authorization', { headers: { authorization: 'Bearer x' } }],
  ])('%s are refused', async (_what, spoil) => {
    const { create, pay } = await withMerchant()
    expect(codeOf(await create('B1', {}, spoil))).toEqual([401, 'SIGN_ERROR'])
    expect(pay.bills()).toEqual([])
  })

  it.each<[string, object, unknown[]]>([
    ['a number with a dash', { out_bill_no: 'B-1' }, [400, 'PARAM_ERROR']],
    ['a number of 33 characters', { out_bill_no: 'B'.repeat(33) }, [400, 'PARAM_ERROR']],
    ['an amount as text', { transfer_amount: '5000' }, [400, 'PARAM_ERROR']],
    ['part of a fen', { transfer_amount: 1.5 }, [400, 'PARAM_ERROR']],
    ['less than the least', { transfer_amount: 9 }, [400, 'INVALID_REQUEST']],
    ['more than the most', { transfer_amount: 20_001 }, [400, 'INVALID_REQUEST']],
    ['a remark of 33 characters', { transfer_remark: '补'.repeat(33) }, [400, 'PARAM_ERROR']],
    ['no remark', { transfer_remark: undefined }, [400, 'PARAM_ERROR']],
    ['a notify_url by http', { notify_url: 'http://a.cn/n' }, [400, 'PARAM_ERROR']],
    ['a notify_url with a query', { notify_url: 'https://a.cn/n?x=1' }, [400, 'PARAM_ERROR']],
    [
      'a notify_url that is too long',
      { notify_url: `https://a.cn/${'n'.repeat(244)}` },
      [400, 'PARAM_ERROR'],
    ],
    ['a scene that was not granted', { transfer_scene_id: '1000' }, [403, 'NO_AUTH']],
    ['an unknown scene', { transfer_scene_id: '9999' }, [403, 'NO_AUTH']],
    ['the scene as a number', { transfer_scene_id: 1002 }, [400, 'PARAM_ERROR']],
    ['a perception of another scene', { user_recv_perception: '劳务报酬' }, [400, 'INVALID_REQUEST']],
    ['no report', { transfer_scene_report_infos: undefined }, [400, 'PARAM_ERROR']],
    [
      'a report of another type',
      { transfer_scene_report_infos: [{ info_type: '活动名称', info_content: 'x' }] },
      [400, 'PARAM_ERROR'],
    ],
    [
      'two reports',
      {
        transfer_scene_report_infos: [
          { info_type: '补贴类型', info_content: 'x' },
          { info_type: '补贴类型', info_content: 'y' },
        ],
      },
      [400, 'PARAM_ERROR'],
    ],
    [
      'a report of 33 characters',
      { transfer_scene_report_infos: [{ info_type: '补贴类型', info_content: 'x'.repeat(33) }] },
      [400, 'PARAM_ERROR'],
    ],
    ['an appid that is not bound', { appid: 'wx0' }, [400, 'APPID_MCHID_NOT_MATCH']],
    ['an openid of nobody', { openid: 'oNobody' }, [400, 'INVALID_REQUEST']],
    ['a name in clear', { user_name: '王芳' }, [400, 'PARAM_ERROR']],
  ])('with %s are refused', async (_what, change, expected) => {
    const { create, pay } = await withMerchant()
    expect(codeOf(await create('B1', change))).toEqual(expected)
    expect(pay.bills()).toEqual([])
  })

  it('take both perceptions of the scene, and an appid only with its own openids', async () => {
    const { create } = await withMerchant({ appIds: [appid, 'wx2'] })
    expect((await create('B1', { user_recv_perception: '行政补贴' })).status).toBe(200)
    expect((await create('B2', { user_recv_perception: '行政奖励' })).status).toBe(200)
    expect(codeOf(await create('B3', { appid: 'wx2' }))).toEqual([400, 'INVALID_REQUEST'])
  })

  it('need the name from 2000 yuan on and refuse it below 0.30', async () => {
    const { create, sealName, serialHead } = await withMerchant({
      amounts: { minPerBill: 1, maxPerBill: 1_000_000, perUserDay: 10_000_000 },
    })
    const named = { user_name: sealName('王芳') }
    expect(codeOf(await create('B1', { transfer_amount: 200_000 }))).toEqual([400, 'PARAM_ERROR'])
    expect((await create('B1', { transfer_amount: 199_999 })).status).toBe(200)
    expect((await create('B2', { transfer_amount: 200_000, ...named }, serialHead())).status).toBe(200)
    expect(codeOf(await create('B3', { transfer_amount: 29, ...named }, serialHead()))).toEqual([
      400,
      'PARAM_ERROR',
    ])
    expect((await create('B3', { transfer_amount: 30, ...named }, serialHead())).status).toBe(200)
    const wrong = { headers: { 'wechatpay-serial': 'PUB_KEY_ID_0' } }
    expect(codeOf(await create('B4', { transfer_amount: 30, ...named }, wrong))).toEqual([400, 'PARAM_ERROR'])
  })

  it('are counted against the day of the user and of the merchant', async () => {
    const { create, cancel, clock, sim } = await withMerchant({
      amounts: { perUserDay: 10_000, perDay: 12_000 },
    })
    sim.addPerson({ name: '李明', openId: 'oLiMing' })
    expect((await create('B1')).status).toBe(200)
    expect((await create('B2')).status).toBe(200)
    expect(codeOf(await create('B3'))).toEqual([400, 'INVALID_REQUEST'])
    expect(codeOf(await create('B4', { openid: 'oLiMing' }))).toEqual([400, 'INVALID_REQUEST'])
    await cancel('B2')
    await sim.pay.tick()
    expect((await create('B5')).status).toBe(200)
    clock.advance(14 * HOUR)
    expect((await create('B6')).status).toBe(200)
    sim.limits.set('payAmounts', false)
    expect((await create('B7', { transfer_amount: 5_000_000, user_name: undefined })).status).toBe(400)
    expect((await create('B8', { transfer_amount: 100_000 })).status).toBe(200)
  })

  it('are at most 100 a second, of cancelling 20', async () => {
    const { query, cancel, clock, sim } = await withMerchant()
    const many = await Promise.all(Array.from({ length: 101 }, () => query('B1')))
    expect(many.filter(answer => answer.status === 429)).toHaveLength(1)
    const cancels = await Promise.all(Array.from({ length: 21 }, () => cancel('B1')))
    expect(cancels.filter(answer => answer.body.code === 'FREQUENCY_LIMITED')).toHaveLength(1)
    clock.advance(1000)
    expect((await query('B1')).status).toBe(404)
    sim.limits.set('payFrequency', false)
    const more = await Promise.all(Array.from({ length: 101 }, () => query('B1')))
    expect(more.some(answer => answer.status === 429)).toBe(false)
  })
})
