import { describe, expect, test } from 'vitest'
import {
  type AccountConfig,
  accountTypeOf,
  type Capability,
  capabilitiesOf,
  lacksOf,
  requireCapability,
} from '../../../server/channels/capabilities.ts'
import { openAccount, picture, refusal } from './official-account-stage.ts'

const accounts: AccountConfig[] = [
  { isVerified: true },
  { isVerified: false },
  { kind: 'service', isVerified: true },
  { kind: 'service', isVerified: false },
  { kind: 'subscription', isVerified: true },
  { kind: 'subscription', isVerified: false },
]
const officialAccounts = [
  ['service', true],
  ['service', false],
  ['subscription', true],
  ['subscription', false],
] as const

const noOf = (config: AccountConfig) =>
  Object.entries(capabilitiesOf(config))
    .filter(([, support]) => support !== 'yes')
    .map(([capability]) => capability)

describe('what an account may do', () => {
  const neverInOfficialAccounts = [
    'appMessage',
    'appchat',
    'robot',
    'customerGroups',
    'joinWays',
    'massTasks',
    'welcome',
    'customerTags',
  ]
  const neverInWecom = [
    'customerService',
    'template',
    'subscription',
    'mass',
    'massToList',
    'qrScene',
    'userList',
    'tags',
  ]
  const verifiedOnly = ['customerService', 'mass', 'media', 'userList', 'tags']
  const serviceOnly = ['template', 'subscription', 'massToList', 'qrScene', 'oauth']

  test.each<[AccountConfig, string[]]>([
    [{ isVerified: true }, neverInWecom],
    [
      { isVerified: false },
      [...neverInWecom, 'customerGroups', 'joinWays', 'massTasks', 'welcome', 'customerTags'],
    ],
    [{ kind: 'service', isVerified: true }, neverInOfficialAccounts],
    [{ kind: 'service', isVerified: false }, [...neverInOfficialAccounts, ...verifiedOnly, ...serviceOnly]],
    [{ kind: 'subscription', isVerified: true }, [...neverInOfficialAccounts, ...serviceOnly]],
    [
      { kind: 'subscription', isVerified: false },
      [...neverInOfficialAccounts, ...verifiedOnly, ...serviceOnly, 'menu'],
    ],
  ])('%o lacks %j', (config, lacking) => {
    expect(noOf(config).sort()).toEqual([...lacking].sort())
  })

  test.each(accounts)('%o: each reason names the thing and says what to do instead, in Chinese', config => {
    for (const [capability, support] of Object.entries(capabilitiesOf(config))) {
      if (support === 'yes') continue
      expect(support).toMatch(/^[\p{Script=Han}A-Z-]+：.{6,}/u)
      expect(() => requireCapability(config, capability as Capability)).toThrow(support)
    }
  })

  test('what people are told is theirs to notice, and short', () => {
    expect(
      accounts.map(config => [accountTypeOf(config), lacksOf(config).map(line => line.split('：')[0])]),
    ).toEqual([
      ['wecom_verified', []],
      ['wecom_unverified', ['客户群', '入群码', '客户群群发', '新客户欢迎语']],
      ['service_verified', []],
      ['service_unverified', ['客服消息', '模板消息', '带参数二维码', '网页授权登录']],
      ['subscription_verified', ['模板消息', '带参数二维码', '网页授权登录']],
      ['subscription_unverified', ['客服消息', '模板消息', '带参数二维码', '网页授权登录']],
    ])
    for (const config of accounts)
      expect(Buffer.byteLength(lacksOf(config).join('\n'))).toBeLessThanOrEqual(700)
  })
})

/** What each capability calls; the body need not be right, only the permission counts. */
const calls: [Capability, path: string, body?: unknown][] = [
  ['customerService', '/cgi-bin/message/custom/send', {}],
  ['template', '/cgi-bin/message/template/send', {}],
  ['subscription', '/cgi-bin/message/subscribe/bizsend', {}],
  ['subscription', '/wxaapi/newtmpl/gettemplate'],
  ['mass', '/cgi-bin/message/mass/sendall', {}],
  ['mass', '/cgi-bin/message/mass/preview', {}],
  ['mass', '/cgi-bin/message/mass/get', {}],
  ['mass', '/cgi-bin/message/mass/delete', {}],
  ['massToList', '/cgi-bin/message/mass/send', {}],
  ['menu', '/cgi-bin/menu/create', {}],
  ['menu', '/cgi-bin/menu/get'],
  ['menu', '/cgi-bin/menu/delete'],
  ['qrScene', '/cgi-bin/qrcode/create', {}],
  ['userList', '/cgi-bin/user/get'],
  ['userList', '/cgi-bin/user/info'],
  ['userList', '/cgi-bin/user/info/batchget', {}],
  ['userList', '/cgi-bin/user/info/updateremark', {}],
  ['tags', '/cgi-bin/tags/create', {}],
  ['tags', '/cgi-bin/tags/get'],
  ['tags', '/cgi-bin/tags/members/batchtagging', {}],
  ['media', '/cgi-bin/media/upload', {}],
  ['media', '/cgi-bin/material/add_material', {}],
  ['jssdk', '/cgi-bin/ticket/getticket'],
]

describe.each(officialAccounts)('a %s account, verified: %s', (kind, verified) => {
  const support = capabilitiesOf({ kind, isVerified: verified })

  test('is refused with 48001 where the table says no, and only there', async () => {
    const { raw } = await openAccount({ kind, verified })
    for (const [capability, path, body] of calls) {
      const { errcode } = await raw(path, body)
      expect([path, errcode === 48001]).toEqual([path, support[capability] !== 'yes'])
    }
  })

  test('degrades with the reason before any call is made', async () => {
    const { channel, traces } = await openAccount({ kind, verified })
    const file = { name: 'a.png', bytes: picture }
    const text = { kind: 'text', text: '通知' } as const
    const acts: [Capability, () => unknown][] = [
      ['customerService', () => channel.sendText('oWangFang', '在吗')],
      ['template', () => channel.sendTemplate('oWangFang', { title: 'a', time: '09:00', note: 'b' }, null)],
      [
        'template',
        () => channel.sendTemplateMessage({ address: 'o', templateId: 't', data: { thing1: 'a' } }),
      ],
      [
        'subscription',
        () => channel.sendSubscriptionNotice({ address: 'o', templateId: 't', data: { thing1: 'a' } }),
      ],
      ['mass', () => channel.sendMass({ to: 'all' }, text, 'm')],
      ['massToList', () => channel.sendMass({ to: 'list', addresses: ['a', 'b'] }, text, 'm')],
      ['menu', () => channel.setMenu([{ name: '帮助', command: '帮助' }])],
      ['qrScene', () => channel.createQrCode('unit_12', 600)],
      ['oauth', () => channel.loginUrl('https://a.cn/login', 's', 'snsapi_base')],
      ['oauth', () => channel.readLogin('code')],
      ['userList', () => channel.listFollowers(null)],
      ['userList', () => channel.remarkFollower('o', '王')],
      ['tags', () => channel.createTag('镇川')],
      ['media', () => channel.uploadMedia('image', file)],
    ]
    for (const [capability, act] of acts.filter(([name]) => support[name] !== 'yes')) {
      expect([capability, await refusal(act)]).toEqual([capability, ['config', null]])
      await expect((async () => act())()).rejects.toThrow(support[capability])
    }
    expect(traces).toEqual([])
    expect(channel.lacks).toEqual(lacksOf({ kind, isVerified: verified }))
  })
})
