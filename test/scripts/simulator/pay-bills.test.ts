import { constants, createHash, privateDecrypt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { appid, BILLS, codeOf, mchId, merchantKey, withMerchant } from './merchant.ts'

const RECEIPTS = '/v3/fund-app/mch-transfer/elecsign/out-bill-no'
const HOUR = 3_600_000

describe('a bill', () => {
  it('is the same for the same request and refused for another one', async () => {
    const { create, pay, sealName, serialHead } = await withMerchant()
    const first = await create('B1')
    expect((await create('B1')).body).toEqual(first.body)
    expect(codeOf(await create('B1', { transfer_amount: 5001 }))).toEqual([400, 'INVALID_REQUEST'])
    expect(codeOf(await create('B1', { transfer_remark: '别的' }))).toEqual([400, 'INVALID_REQUEST'])
    expect(pay.bills()).toHaveLength(1)
    expect(pay.merchants()[0]?.balance).toBe(100_000_000 - 5000)
    // the same name encrypted twice makes two ciphertexts
    const named = await create('B2', { user_name: sealName('王芳') }, serialHead())
    expect((await create('B2', { user_name: sealName('王芳') }, serialHead())).body).toEqual(named.body)
    expect((await create('B2', { user_name: sealName('王方') }, serialHead())).status).toBe(400)
  })

  it('is confirmed by its receiver, found by both numbers and not to be cancelled after', async () => {
    const { create, query, call, cancel, pay, wang, sim } = await withMerchant()
    const made = await create('B1')
    const other = sim.addPerson({ name: '李明', openId: 'oLiMing' })
    await expect(pay.confirm(other.id, 'B1')).rejects.toThrow('not for 李明')
    expect(await pay.confirm(wang.id, made.body.package_info)).toMatchObject({ state: 'SUCCESS' })
    await expect(pay.confirm(wang.id, 'B1')).rejects.toThrow('SUCCESS')
    const found = await query('B1')
    expect(found.body).toEqual({
      mch_id: mchId,
      out_bill_no: 'B1',
      transfer_bill_no: made.body.transfer_bill_no,
      appid,
      state: 'SUCCESS',
      transfer_amount: 5000,
      transfer_remark: '志愿者交通补贴',
      openid: 'oWangFang',
      create_time: '2026-03-05T10:00:00+08:00',
      update_time: '2026-03-05T10:00:00+08:00',
    })
    expect((await call('GET', `${BILLS}/transfer-bill-no/${made.body.transfer_bill_no}`)).body).toEqual(
      found.body,
    )
    expect(codeOf(await cancel('B1'))).toEqual([400, 'INVALID_REQUEST'])
    expect((await create('B1')).body).toMatchObject({ state: 'SUCCESS' })
    expect((await create('B1')).body.package_info).toBeUndefined()
  })

  it('goes through its states as the clock moves', async () => {
    const { create, query, clock, pay, wang } = await withMerchant({ lockMs: 4000, transferMs: 3000 })
    const states: string[] = [(await create('B1')).body.state]
    for (let step = 0; step < 2; step += 1) {
      clock.advance(2000)
      states.push((await query('B1')).body.state)
    }
    await pay.confirm(wang.id, 'B1')
    states.push((await query('B1')).body.state)
    clock.advance(3000)
    states.push((await query('B1')).body.state)
    expect(states).toEqual(['ACCEPTED', 'PROCESSING', 'WAIT_USER_CONFIRM', 'TRANSFERING', 'SUCCESS'])
  })

  it('stays in PROCESSING while the balance is short; the same request tries again', async () => {
    const { create, query, pay } = await withMerchant({ balance: 4999 })
    const short = await create('B1')
    expect(short.body).toMatchObject({ state: 'PROCESSING' })
    expect(short.body.package_info).toBeUndefined()
    pay.setBalance(6000)
    expect((await query('B1')).body.state).toBe('PROCESSING')
    expect((await create('B1')).body).toMatchObject({
      state: 'WAIT_USER_CONFIRM',
      package_info: expect.any(String),
    })
    expect(pay.merchants()[0]?.balance).toBe(1000)
  })

  it.each([
    [undefined, 'FAIL', 'OVERDUE_CLOSE'],
    ['CANCELLED' as const, 'CANCELLED', undefined],
  ])('closes after 24 hours without a confirmation (%s)', async (expiredState, state, reason) => {
    const { create, query, clock, pay, wang } = await withMerchant(
      expiredState === undefined ? {} : { expiredState },
    )
    await create('B1')
    clock.advance(24 * HOUR - 1)
    expect((await query('B1')).body.state).toBe('WAIT_USER_CONFIRM')
    clock.advance(HOUR)
    const { body } = await query('B1')
    expect([body.state, body.fail_reason, body.update_time]).toEqual([
      state,
      reason,
      '2026-03-06T10:00:00+08:00',
    ])
    expect(pay.merchants()[0]?.balance).toBe(100_000_000)
    await expect(pay.confirm(wang.id, 'B1')).rejects.toThrow(state)
  })

  it('is cancelled before the user confirms, with or without an empty object', async () => {
    const { create, query, cancel, call, pay } = await withMerchant()
    await create('B1')
    await create('B2')
    expect((await cancel('B1')).body).toEqual({
      out_bill_no: 'B1',
      transfer_bill_no: expect.any(String),
      state: 'CANCELING',
      update_time: '2026-03-05T10:00:00+08:00',
    })
    expect((await call('POST', `${BILLS}/out-bill-no/B2/cancel`, {})).body.state).toBe('CANCELING')
    expect((await query('B1')).body.state).toBe('CANCELLED')
    expect((await cancel('B1')).body.state).toBe('CANCELLED')
    expect(pay.merchants()[0]?.balance).toBe(100_000_000)
    expect(codeOf(await cancel('B9'))).toEqual([404, 'NOT_FOUND'])
  })

  it('fails when the name is another one or WeChat refuses, and the money comes back', async () => {
    const { create, query, pay, wang, sealName, serialHead } = await withMerchant()
    await create('B1', { user_name: sealName('王方') }, serialHead())
    expect(await pay.confirm(wang.id, 'B1')).toMatchObject({ state: 'FAIL', failReason: 'NAME_NOT_CORRECT' })
    await create('B2')
    await pay.confirm(wang.id, 'B2', { refusal: 'ACCOUNT_FROZEN' })
    expect((await query('B2')).body).toMatchObject({ state: 'FAIL', fail_reason: 'ACCOUNT_FROZEN' })
    expect(pay.merchants()[0]?.balance).toBe(100_000_000)
    const sealed = (await query('B1')).body.user_name
    const opened = privateDecrypt(
      { key: merchantKey.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
      Buffer.from(sealed, 'base64'),
    )
    expect(opened.toString('utf8')).toBe('王方')
  })

  it('can be asked for during 30 days', async () => {
    const { create, query, clock } = await withMerchant()
    await create('B1')
    clock.advance(30 * 24 * HOUR - 1)
    expect((await query('B1')).status).toBe(200)
    clock.advance(1)
    expect(codeOf(await query('B1'))).toEqual([404, 'NOT_FOUND'])
  })

  it('has an electronic receipt when it was paid by name', async () => {
    const { create, call, clock, pay, wang, sealName, serialHead } = await withMerchant()
    await create('B1', { user_name: sealName('王芳') }, serialHead())
    await create('B2')
    expect(codeOf(await call('POST', RECEIPTS, { out_bill_no: 'B1' }))).toEqual([400, 'INVALID_REQUEST'])
    await pay.confirm(wang.id, 'B1')
    await pay.confirm(wang.id, 'B2')
    expect(codeOf(await call('POST', RECEIPTS, { out_bill_no: 'B2' }))).toEqual([400, 'INVALID_REQUEST'])
    expect((await call('POST', RECEIPTS, { out_bill_no: 'B1' })).body.state).toBe('GENERATING')
    expect((await call('GET', `${RECEIPTS}/B1`)).body.state).toBe('GENERATING')
    clock.advance(2 * 60_000)
    const { body } = await call('GET', `${RECEIPTS}/B1`)
    const file = await fetch(body.download_url)
    const pdf = Buffer.from(await file.arrayBuffer())
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    expect([body.state, body.hash_value]).toEqual([
      'FINISHED',
      createHash('sha256').update(pdf).digest('hex'),
    ])
    clock.advance(10 * 60_000)
    expect((await fetch(body.download_url)).status).toBe(404)
  })
})
