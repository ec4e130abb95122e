import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { LADDER } from '../../../scripts/simulator/pay/notify.ts'
import { codeOf, isGenuine, mchId, openResource, withMerchant, withReceiver } from './merchant.ts'

const HOUR = 3_600_000

describe('notifications of WeChat Pay', () => {
  it('are signed, encrypted and sent once when taken', async () => {
    const { create, pay, wang, received, notify_url, clock } = await withReceiver()
    await create('B1', { notify_url })
    expect(received).toEqual([])
    await pay.confirm(wang.id, 'B1')
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({
      isGenuine: true,
      outer: {
        resource_type: 'encrypt-resource',
        event_type: 'MCHTRANSFER.BILL.FINISHED',
        resource: {
          original_type: 'mch_payment',
          algorithm: 'AEAD_AES_256_GCM',
          associated_data: 'mch_payment',
        },
      },
      plain: {
        mchid: mchId,
        out_bill_no: 'B1',
        state: 'SUCCESS',
        transfer_amount: 5000,
        openid: 'oWangFang',
      },
    })
    clock.advance(24 * HOUR)
    await pay.tick()
    expect(received).toHaveLength(1)
  })

  it('tell of bills that closed or were cancelled', async () => {
    const { create, cancel, pay, clock, received, notify_url } = await withReceiver()
    await create('B1', { notify_url })
    await create('B2', { notify_url })
    await cancel('B2')
    await pay.tick()
    clock.advance(24 * HOUR)
    await pay.tick()
    expect(received.map(({ plain }) => [plain.out_bill_no, plain.state])).toEqual([
      ['B2', 'CANCELLED'],
      ['B1', 'FAIL'],
    ])
  })

  it('are tried again along the ladder, 24 hours in all', async () => {
    const { create, pay, wang, clock, received, state, notify_url, sim } = await withReceiver()
    expect(LADDER.reduce((sum, wait) => sum + wait, 0)).toBe(24 * HOUR + 4 * 60_000)
    state.status = 500
    await create('B1', { notify_url })
    await pay.confirm(wang.id, 'B1')
    for (const [index, wait] of LADDER.entries()) {
      expect(received).toHaveLength(index + 1)
      clock.advance(wait - 1)
      await pay.tick()
      expect(received).toHaveLength(index + 1)
      clock.advance(1)
      await pay.tick()
    }
    expect(received).toHaveLength(16)
    expect(pay.waiting()).toEqual([])
    expect(new Set(received.map(({ outer }) => outer.id)).size).toBe(1)
    expect(sim.log.filter(entry => entry.kind === 'callback_lost')).toHaveLength(1)
  })

  it('go out by themselves when the clock has moved', async () => {
    const { create, pay, wang, clock, received, state, notify_url } = await withReceiver()
    state.status = 500
    await create('B1', { notify_url })
    await pay.confirm(wang.id, 'B1')
    state.status = 204
    clock.advance(15_000)
    await expect.poll(() => received.length).toBe(2)
    await expect.poll(() => pay.waiting()).toEqual([])
  })

  it('are probed by a signature that must be refused', async () => {
    const { create, pay, wang, received, state, notify_url, sim } = await withReceiver()
    await create('B1', { notify_url })
    expect(await pay.probe('B1')).toBe(true)
    expect(received.map(one => one.isGenuine)).toEqual([false])
    sim.faults.on('pay-sign-test', { path: 'notify', times: 1 })
    await pay.confirm(wang.id, 'B1')
    expect(received.map(one => one.isGenuine)).toEqual([false, false, true])
    state.verifies = false
    expect(await pay.probe('B1')).toBe(false)
    expect(sim.log.at(-1)).toMatchObject({ kind: 'error', message: expect.stringContaining('SIGNTEST') })
  })

  it('come twice or never as the faults say', async () => {
    const { create, pay, wang, clock, received, notify_url, sim } = await withReceiver()
    sim.faults.on('duplicate-callbacks', { path: 'pay/notify', times: 1 })
    await create('B1', { notify_url })
    await pay.confirm(wang.id, 'B1')
    expect(received).toHaveLength(2)
    sim.faults.on('drop-callbacks', { times: 1 })
    await create('B2', { notify_url })
    await pay.confirm(wang.id, 'B2')
    expect(received).toHaveLength(2)
    clock.advance(15_000)
    await pay.tick()
    expect(received.at(-1)?.plain.out_bill_no).toBe('B2')
  })
})

describe('faults of WeChat Pay', () => {
  it('lose an answer although the bill was made', async () => {
    const { create, query, sim, pay } = await withMerchant()
    sim.faults.on('pay-answer-lost', { path: 'transfer-bills', times: 1 })
    await expect(create('B1')).rejects.toThrow()
    expect(pay.bill('B1').state).toBe('WAIT_USER_CONFIRM')
    expect((await query('B1')).body.state).toBe('WAIT_USER_CONFIRM')
    expect((await create('B1')).body.package_info).toBe(pay.bill('B1').packageInfo)
    expect(pay.merchants()[0]?.balance).toBe(100_000_000 - 5000)
  })

  it('answer 500, 429 and, to questions, NOT_FOUND', async () => {
    const { create, query, sim, pay } = await withMerchant()
    sim.faults.on('pay-http-500', { times: 1 })
    const broken = await create('B1')
    expect(codeOf(broken)).toEqual([500, 'SYSTEM_ERROR'])
    expect(broken.headers.get('wechatpay-signature')).toBeNull()
    sim.faults.on('pay-frequency', { times: 1 })
    expect(codeOf(await create('B1'))).toEqual([429, 'FREQUENCY_LIMITED'])
    expect(pay.bills()).toEqual([])
    sim.faults.on('pay-not-found', { times: 2 })
    expect((await create('B1')).status).toBe(200)
    expect([(await query('B1')).status, (await query('B1')).status, (await query('B1')).status]).toEqual([
      404, 404, 200,
    ])
  })

  it('leave a bill without funds until the same request comes again', async () => {
    const { create, sim } = await withMerchant()
    sim.faults.on('pay-balance-short', { times: 1 })
    expect((await create('B1')).body.state).toBe('PROCESSING')
    expect((await create('B1')).body.state).toBe('WAIT_USER_CONFIRM')
  })

  it('spoil the signature of an answer', async () => {
    const { create, sim, pay } = await withMerchant()
    sim.faults.on('pay-sign-test', { path: '/v3/', times: 1 })
    const { headers, raw } = await create('B1')
    expect(headers.get('wechatpay-signature')).toMatch(/^WECHATPAY\/SIGNTEST\//)
    expect(isGenuine(name => headers.get(name) ?? '', raw, pay.platform())).toBe(false)
  })
})

describe('the platform certificate', () => {
  it('is fetched encrypted and signs instead of the public key', async () => {
    const { call, pay } = await withMerchant({ keyMode: 'certificate' })
    const { body, raw, headers } = await call('GET', '/v3/certificates')
    const [entry] = body.data
    const certificate = new X509Certificate(openResource(entry.encrypt_certificate))
    expect(certificate.serialNumber).toBe(entry.serial_no)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(new Date(certificate.validTo).getTime()).toBe(Date.parse(entry.expire_time))
    const publicKey = certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    expect(isGenuine(name => headers.get(name) ?? '', raw, { serial: entry.serial_no, publicKey })).toBe(true)
    expect(pay.platform()).toEqual({ serial: entry.serial_no, publicKey })
  })

  it('is not there for merchants with the public key', async () => {
    const { call } = await withMerchant()
    expect(codeOf(await call('GET', '/v3/certificates'))).toEqual([404, 'RESOURCE_NOT_EXISTS'])
  })
})
