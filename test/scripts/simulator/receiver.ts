import { decrypt, encrypt, getSignature } from '@wecom/crypto'
import Fastify from 'fastify'
import { parseStringPromise } from 'xml2js'

export interface Settings {
  token: string
  aesKey: string
  /** corpid or appid */
  receiveId: string
}

export interface Received {
  /** The URL's query. */
  query: Record<string, string>
  /** The decrypted message as strings. */
  message: Record<string, string>
  raw: string
}

/** What the receiver answers: '' for nothing, a text for a passive reply, or a whole body. */
export type Answer = string | { body: string; status?: number; delayMs?: number }

const ORIGIN = 'http://127.0.0.1'

/**
 * Plays our server in the tests of the simulator.
 *
 * It uses @wecom/crypto and xml2js, which the simulator does not, so the two check each other.
 */
export async function startReceiver(settings: Settings, answer: (received: Received) => Answer = () => '') {
  const received: Received[] = []
  const app = Fastify({ forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  app.get('/callback', async request => {
    const query = request.query as Record<string, string>
    const { echostr = '', timestamp = '', nonce = '' } = query
    if (query.msg_signature === undefined) return echostr
    if (getSignature(settings.token, timestamp, nonce, echostr) !== query.msg_signature)
      return 'wrong signature'
    return decrypt(settings.aesKey, echostr).message
  })
  app.post('/callback', async (request, reply) => {
    const query = request.query as Record<string, string>
    const outer = await parse(request.body as string)
    let message = outer
    if (outer.Encrypt !== undefined) {
      const expected = getSignature(settings.token, query.timestamp ?? '', query.nonce ?? '', outer.Encrypt)
      if (expected !== query.msg_signature) return reply.code(403).send('wrong signature')
      const opened = decrypt(settings.aesKey, outer.Encrypt)
      if (opened.id !== settings.receiveId) return reply.code(403).send('wrong receive id')
      message = await parse(opened.message)
    }
    const one = { query, message, raw: request.body as string }
    received.push(one)
    const chosen = answer(one)
    if (typeof chosen === 'string')
      return reply.send(chosen === '' ? '' : sealedText(settings, message, chosen))
    if (chosen.delayMs !== undefined) await new Promise(resolve => setTimeout(resolve, chosen.delayMs))
    return reply.code(chosen.status ?? 200).send(chosen.body)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { received, url: `${ORIGIN}:${port}/callback`, stop: () => app.close() }
}

export async function parse(xml: string): Promise<Record<string, string>> {
  const parsed = await parseStringPromise(xml, { explicitArray: false })
  return parsed.xml
}

/** The plain XML of a text reply. */
export function textReply(message: Record<string, string>, text: string): string {
  return `<xml><ToUserName>${message.FromUserName}</ToUserName><FromUserName>${message.ToUserName}</FromUserName><CreateTime>${message.CreateTime}</CreateTime><MsgType>text</MsgType><Content><![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]></Content></xml>`
}

/** Any plain XML, encrypted and signed as a passive reply. */
export function sealed(
  settings: Settings,
  plain: string,
  spoil: { signature?: string; receiveId?: string } = {},
): string {
  const encrypted = encrypt(settings.aesKey, plain, spoil.receiveId ?? settings.receiveId)
  const signature = spoil.signature ?? getSignature(settings.token, 1700000000, 'nonce', encrypted)
  return `<xml><Encrypt><![CDATA[${encrypted}]]></Encrypt><MsgSignature>${signature}</MsgSignature><TimeStamp>1700000000</TimeStamp><Nonce>nonce</Nonce></xml>`
}

function sealedText(settings: Settings, message: Record<string, string>, text: string): string {
  return sealed(settings, textReply(message, text))
}
