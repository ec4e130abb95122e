import { createCipheriv, randomBytes, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { billByNumber } from '../../../db/queries/pay-bills.ts'
import { ledgerSums, runById } from '../../../db/queries/subsidies.ts'
import { platformKey } from '../../../scripts/simulator/pay/keys.ts'
import { approveRun } from '../../../server/domain/subsidies/approve.ts'
import { makeRun, setYearBudget, submitRun } from '../../../server/domain/subsidies/runs.ts'
import { payDueBills } from '../../../server/jobs/pay-bills.ts'
import { openUniversity, type University } from '../../support/university.ts'

const KEY = '0123456789abcdef0123456789abcdef'

interface Letter {
  plain: Record<string, unknown>
  event: string
  /** What is changed on the way. */
  body(text: string): string
  headers(heads: Record<string, string>): Record<string, string>
  seconds: number
  apiKey: string
  cipher(bytes: Buffer): Buffer
  signsAs: 'platform' | 'merchant'
}

describe('what says that a payment has ended', () => {
  let u: University
  let number: string
  let openId: string
  let runId: number

  /** A notification as the platform sends it, with something altered. */
  async function send(change: Partial<Letter> = {}) {
    const platform = platformKey('public-key')
    const plain = {
      out_bill_no: number,
      transfer_bill_no: '1330000',
      state: 'SUCCESS',
      mchid: '1900000001',
      transfer_amount: 600_000,
      openid: openId,
      create_time: '2026-09-07T09:00:00+08:00',
      update_time: '2026-09-07T09:00:00+08:00',
      ...change.plain,
    }
    const nonce = randomBytes(6).toString('hex')
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(change.apiKey ?? KEY), Buffer.from(nonce))
    cipher.setAAD(Buffer.from('mch_payment'))
    const bytes = Buffer.concat([
      cipher.update(JSON.stringify(plain), 'utf8'),
      cipher.final(),
      cipher.getAuthTag(),
    ])
    const text = JSON.stringify({
      id: 'EV-1',
      event_type: change.event ?? 'MCHTRANSFER.BILL.FINISHED',
      resource_type: 'encrypt-resource',
      resource: {
        original_type: 'mch_payment',
        algorithm: 'AEAD_AES_256_GCM',
        ciphertext: (change.cipher?.(bytes) ?? bytes).toString('base64'),
        associated_data: 'mch_payment',
        nonce,
      },
    })
    const timestamp = String(Math.floor(u.stage.clock.now().getTime() / 1000) + (change.seconds ?? 0))
    const signature = sign('RSA-SHA256', Buffer.from(`${timestamp}\nabc\n${text}\n`), platform.privateKey)
    const heads = {
      'wechatpay-serial': platform.serial,
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': 'abc',
      'wechatpay-signature': signature.toString('base64'),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
    }
    const answer = await fetch(`${u.stage.serverUrl}/webhooks/wechat-pay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(change.headers?.(heads) ?? heads) },
      body: change.body?.(text) ?? text,
    })
    return answer.status
  }

  beforeAll(async () => {
    u = await openUniversity()
    const { personId } = await u.volunteer({ name: '张远' })
    openId = `o-${personId}`
    const { rt } = u.stage
    const { wechatPay } = rt.config
    await setYearBudget(rt, u.checker, { unitId: u.unitId, year: 2026, fen: 1_000_000 })
    runId = await makeRun(rt, u.maker, { unitId: u.unitId, way: 'wechat' })
    await submitRun(rt, u.maker, runId, wechatPay)
    const hash = (await runById(rt.db, runId))?.contentHash ?? ''
    await approveRun(rt, u.checker, { runId, hash }, wechatPay)
    await payDueBills(rt)
    number = `QZ${personId}T1`
  })
  afterAll(() => u.stage.close())

  const flipped = (text: string) => text.replace('EV-1', 'EV-2')
  const without = (name: string) => (heads: Record<string, string>) =>
    Object.fromEntries(Object.entries(heads).filter(([key]) => key !== name))
  const withHead = (name: string, value: (old: string) => string) => (heads: Record<string, string>) => ({
    ...heads,
    [name]: value(heads[name] ?? ''),
  })
  const forged: [string, Partial<Letter>][] = [
    ['a changed body', { body: flipped }],
    ['a space behind the body', { body: text => `${text} ` }],
    ['no body', { body: () => '' }],
    ['no signature', { headers: without('wechatpay-signature') }],
    ['no serial', { headers: without('wechatpay-serial') }],
    ['no timestamp', { headers: without('wechatpay-timestamp') }],
    ['another serial', { headers: withHead('wechatpay-serial', () => 'PUB_KEY_ID_0000') }],
    ['another nonce', { headers: withHead('wechatpay-nonce', () => 'xyz') }],
    ['another timestamp', { headers: withHead('wechatpay-timestamp', old => String(Number(old) + 1)) }],
    ['a timestamp that is no number', { headers: withHead('wechatpay-timestamp', old => `${old}.0`) }],
    [
      'a flipped signature',
      {
        headers: withHead('wechatpay-signature', old => `${old.startsWith('A') ? 'B' : 'A'}${old.slice(1)}`),
      },
    ],
    ['a probe', { headers: withHead('wechatpay-signature', old => `WECHATPAY/SIGNTEST/${old}`) }],
    ['another kind of signature', { headers: withHead('wechatpay-signature-type', () => 'SM2') }],
    ['what is six minutes old', { seconds: -360 }],
    ['what is six minutes early', { seconds: 360 }],
    ['a forged tag', { cipher: bytes => Buffer.concat([bytes.subarray(0, -16), Buffer.alloc(16, 7)]) }],
    [
      'a changed ciphertext',
      { cipher: bytes => Buffer.concat([Buffer.from([(bytes[0] ?? 0) ^ 1]), bytes.subarray(1)]) },
    ],
    ['no tag', { cipher: bytes => bytes.subarray(0, -16) }],
    ['another key', { apiKey: 'ffffffffffffffffffffffffffffffff' }],
    ['another merchant', { plain: { mchid: '1900000002' } }],
  ]
  test.each(forged)('is refused: %s', async (_what, change) => {
    const before = u.stage.logLines.length
    expect([400, 401]).toContain(await send(change))
    const lines = u.stage.logLines.slice(before).join('')
    expect(lines).toContain('a notification of WeChat Pay was refused')
    expect(lines).not.toContain(openId)
    expect(lines).not.toContain('张远')
    expect(lines).not.toContain(number)
    expect(await billByNumber(u.stage.rt.db, number)).toMatchObject({ state: 'waiting' })
  })

  test.each([
    ['another amount', { transfer_amount: 600_001 }],
    ['another receiver', { openid: 'o-other' }],
  ])('moves nothing and calls a person: %s', async (_what, plain) => {
    expect(await send({ plain })).toBe(204)
    expect(await billByNumber(u.stage.rt.db, number)).toMatchObject({ state: 'waiting' })
    const [alarm] = await u.stage.rt.db.query.alarms.findMany()
    expect(alarm?.words).toContain('与微信支付说的不一致')
  })

  test('is acknowledged and left when it is about nothing of ours', async () => {
    expect(await send({ plain: { out_bill_no: 'SOMEBODYELSE1' } })).toBe(204)
  })

  test('counts once, however often it comes, and whatever comes behind it', async () => {
    expect(await Promise.all([send(), send(), send()])).toEqual([204, 204, 204])
    expect(await send({ plain: { state: 'FAIL', fail_reason: 'ACCOUNT_FROZEN' } })).toBe(204)
    expect(await billByNumber(u.stage.rt.db, number)).toMatchObject({ state: 'paid' })
    expect(await ledgerSums(u.stage.rt.db, { runId })).toMatchObject({ paid: 600_000, freed: 0 })
    await expect(u.stage.rt.db.execute('update pay_ledger set fen = 1')).rejects.toThrow()
    await expect(u.stage.rt.db.execute('delete from pay_ledger')).rejects.toThrow()
  })
})
