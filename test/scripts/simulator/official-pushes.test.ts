import { decrypt, encrypt, getSignature } from '@wecom/crypto'
import { describe, expect, it } from 'vitest'
import {
  account,
  openAccount,
  type Push,
  startListener,
} from '../../server/channels/official-account-stage.ts'

/** The JSON of a push, its digits kept, opened and checked as the account would. */
function openJson({ body, query }: Push): Record<string, unknown> {
  const keepDigits = (_key: string, value: unknown, context?: { source: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? context?.source : value
  const read = (text: string) => JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown)
  const outer = read(body)
  if (outer.Encrypt === undefined) return outer
  const expected = getSignature(account.token, query.timestamp ?? '', query.nonce ?? '', outer.Encrypt)
  expect(query.msg_signature).toBe(expected)
  const { message, id } = decrypt(account.aesKey, outer.Encrypt)
  expect(id).toBe(account.appId)
  return read(message)
}

const modes = ['plain', 'compatible', 'secure'] as const

describe('JSON pushes', () => {
  it.each(modes)('carry the same message in %s mode', async mode => {
    const { sim, fang, listener } = await openAccount({ mode, pushFormat: 'json' })
    await sim.say(fang.id, '入群 "12" <好> ]]>')
    const [push] = listener.pushes
    expect(push?.contentType).toBe('application/json')
    expect(push && openJson(push)).toEqual({
      ToUserName: account.originalId,
      FromUserName: 'oWangFang',
      CreateTime: Date.parse('2026-03-05T10:00:00+08:00') / 1000,
      MsgType: 'text',
      Content: '入群 "12" <好> ]]>',
      MsgId: expect.stringMatching(/^\d{19}$/),
    })
    const bare = JSON.parse(push?.body ?? '') as Record<string, unknown>
    expect([bare.Encrypt !== undefined, bare.Content !== undefined]).toEqual([
      mode !== 'plain',
      mode !== 'secure',
    ])
  })

  it.each(modes)('may be answered in JSON or XML in %s mode', async mode => {
    const { sim, fang } = await openAccount({ mode, pushFormat: 'json' })
    const fields = {
      ToUserName: 'oWangFang',
      FromUserName: account.originalId,
      CreateTime: 1_772_676_000,
      MsgType: 'text',
      Content: '好 & <好>',
    }
    const xml = `<xml>${Object.entries(fields)
      .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`)
      .join('')}</xml>`
    const asJson = JSON.stringify(fields)
    const seal = (plain: string) => {
      const encrypted = encrypt(account.aesKey, plain, account.appId)
      return { encrypted, signature: getSignature(account.token, '1772676000', 'n', encrypted) }
    }
    const sealedJson = (plain: string) => {
      const { encrypted, signature } = seal(plain)
      return JSON.stringify({
        Encrypt: encrypted,
        MsgSignature: signature,
        TimeStamp: 1_772_676_000,
        Nonce: 'n',
      })
    }
    const sealedXml = (plain: string) => {
      const { encrypted, signature } = seal(plain)
      return `<xml><Encrypt>${encrypted}</Encrypt><MsgSignature>${signature}</MsgSignature><TimeStamp>1772676000</TimeStamp><Nonce>n</Nonce></xml>`
    }
    const answers = mode === 'plain' ? [asJson, xml] : [sealedJson(asJson), sealedXml(xml)]
    for (const body of answers) {
      sim.setCallbackUrl('officialAccount', (await startListener(body)).url)
      expect((await sim.say(fang.id, '你好')).map(reply => reply.text)).toEqual(['好 & <好>'])
    }
  })

  it('have a list as an object when there is one and as an array when there are more', async () => {
    const { sim, fang, listener } = await openAccount({ pushFormat: 'json' })
    await sim.official.answerPopup(fang.id, { once: 'accept' }, 2)
    await sim.official.changeConsent(fang.id, { once: 'reject', always: 'accept' })
    const pushed = listener.pushes.map(openJson)
    expect(pushed).toMatchObject([
      {
        Event: 'subscribe_msg_popup_event',
        CreateTime: expect.any(String),
        List: { TemplateId: 'once', SubscribeStatusString: 'accept', PopupScene: '2' },
      },
      {
        Event: 'subscribe_msg_change_event',
        List: [
          { TemplateId: 'once', SubscribeStatusString: 'reject' },
          { TemplateId: 'always', SubscribeStatusString: 'accept' },
        ],
      },
    ])
    expect(pushed.some(one => 'SubscribeMsgPopupEvent' in one)).toBe(false)
  })

  it('come twice, late or never when the faults say so', async () => {
    const { sim, fang, listener } = await openAccount({ pushFormat: 'json', mode: 'secure' })
    sim.faults.on('duplicate-callbacks', { times: 1 })
    await sim.say(fang.id, '双')
    sim.faults.on('drop-callbacks', { times: 1 })
    await sim.say(fang.id, '丢')
    sim.faults.on('reorder-callbacks', { times: 1, ms: 60 })
    await Promise.all([sim.say(fang.id, '先'), sim.say(fang.id, '后')])
    expect(listener.pushes.map(push => openJson(push).Content)).toEqual(['双', '双', '后', '先'])
  })
})

describe('events of what people do', () => {
  it('an authorisation that is taken back', async () => {
    const { sim, fang, told } = await openAccount()
    await sim.official.revokeAuthorization(fang.id, '1,2')
    expect(await told('Event', 'OpenID', 'AppID', 'RevokeInfo')).toEqual([
      ['user_authorization_revoke', 'oWangFang', account.appId, '1,2'],
    ])
  })

  it('every kind of menu entry, and only some open the window', async () => {
    const { sim, fang, raw, listener, told } = await openAccount()
    const entry = (type: string, more: object) => ({ type, name: type, ...more })
    const program = { url: 'https://a.cn', appid: 'wx1', pagepath: 'pages/index' }
    const menu = [
      { name: '一', sub_button: [entry('view', { url: 'https://a.cn' }), entry('miniprogram', program)] },
      {
        name: '二',
        sub_button: ['scancode_push', 'scancode_waitmsg', 'pic_sysphoto', 'pic_weixin'].map(type =>
          entry(type, { key: 'k' }),
        ),
      },
      { name: '三', sub_button: [entry('location_select', { key: 'k' }), entry('click', { key: '帮助' })] },
    ]
    expect((await raw('/cgi-bin/menu/create', { button: menu })).errcode).toBe(0)
    const message = { touser: 'oWangFang', msgtype: 'text', text: { content: '好' } }
    const send = async () => (await raw('/cgi-bin/message/custom/send', message)).errcode
    await sim.official.tapMenu(fang.id, 'view')
    await sim.official.tapMenu(fang.id, 'miniprogram')
    expect(await send()).toBe(45015)
    await sim.official.tapMenu(fang.id, 'scancode_waitmsg', { scanResult: 'https://a.cn/q' })
    expect(await send()).toBe(0)
    await sim.official.tapMenu(fang.id, 'pic_weixin', { pictureCount: 2 })
    const place = { latitude: 38.2, longitude: 109.7, label: '榆阳区' }
    await sim.official.tapMenu(fang.id, 'location_select', { place })
    await sim.official.tapMenu(fang.id, 'click')
    expect(await told('Event', 'EventKey', 'ScanResult', 'Count', 'Label')).toEqual([
      ['VIEW', 'https://a.cn', undefined, undefined, undefined],
      ['view_miniprogram', 'pages/index', undefined, undefined, undefined],
      ['scancode_waitmsg', 'k', 'https://a.cn/q', undefined, undefined],
      ['pic_weixin', 'k', undefined, '2', undefined],
      ['location_select', 'k', undefined, undefined, '榆阳区'],
      ['CLICK', '帮助', undefined, undefined, undefined],
    ])
    expect(listener.pushes[3]?.body.match(/<PicMd5Sum>/g)).toHaveLength(2)
    await sim.unfollow(fang.id)
    await expect(sim.official.tapMenu(fang.id, 'click')).rejects.toThrow('does not follow')
  })
})

describe.each(modes)('in %s mode', mode => {
  it.each(['xml', 'json'] as const)('the server understands every push in %s', async pushFormat => {
    const { sim, fang, raw, channel, listener, clock } = await openAccount({ mode, pushFormat })
    const { ticket } = await channel.createQrCode('unit_12', null)
    await channel.setMenu([
      { name: '帮助', command: '帮助' },
      { name: '网站', url: 'https://a.cn' },
    ])
    await sim.say(fang.id, '你好')
    await sim.sendImage(fang.id)
    await sim.official.scan(fang.id, ticket)
    await sim.official.tapMenu(fang.id, '帮助')
    await sim.official.tapMenu(fang.id, '网站')
    await sim.official.answerPopup(fang.id, { once: 'accept', always: 'reject' })
    await sim.official.changeConsent(fang.id, { always: 'accept' })
    await sim.official.revokeAuthorization(fang.id)
    const template = await raw('/cgi-bin/message/template/send', {
      touser: 'oWangFang',
      template_id: 'notice',
      data: { thing1: { value: 'a' }, time2: { value: '09:00' }, thing3: { value: 'b' } },
    })
    expect(template.errcode).toBe(0)
    await sim.idle()
    await channel.sendMass({ to: 'all' }, { kind: 'text', text: '汇编' }, 'm')
    await sim.idle()
    await sim.unfollow(fang.id)
    const understood = listener.pushes.map(request => {
      const reception = channel.receive(request, clock.now())
      return reception.kind === 'update' ? reception.update.kind : reception.kind
    })
    expect(understood).toEqual([
      'text',
      'media',
      'followed',
      'tapped',
      'opened',
      'subscription',
      'subscription',
      'authorization_revoked',
      'template_result',
      'mass_result',
      'unfollowed',
    ])
  })
})
