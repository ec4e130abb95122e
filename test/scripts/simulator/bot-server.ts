import { decrypt, encrypt, getSignature } from '@wecom/crypto'
import Fastify from 'fastify'
import type { AibotSettings } from '../../../scripts/simulator/aibot/actors.ts'
import { simulate, stopLater } from './setup.ts'

const token = 'QDG6eK'
export const aesKey = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C'

// biome-ignore lint/suspicious/noExplicitAny: the robot's messages are read as a script would read them
export type Message = any

export interface Spoil {
  signature?: string
  nonce?: string
  timestamp?: unknown
  receiveId?: string
}

/** Plays our server; it uses @wecom/crypto, which the simulator does not. `null` is an empty answer. */
async function startBotServer(answer: (message: Message) => object | string | null, spoil: Spoil = {}) {
  const received: Message[] = []
  const queries: Record<string, string>[] = []
  const app = Fastify({ forceCloseConnections: true })
  app.get('/bot', async request => {
    const {
      msg_signature,
      timestamp = '',
      nonce = '',
      echostr = '',
    } = request.query as Record<string, string>
    if (getSignature(token, timestamp, nonce, echostr) !== msg_signature) return 'wrong signature'
    const { message, id } = decrypt(aesKey, echostr)
    return id === '' ? message : 'wrong receive id'
  })
  app.post('/bot', async (request, reply) => {
    const query = request.query as Record<string, string>
    const { encrypt: sealed } = request.body as { encrypt: string }
    const { timestamp = '', nonce = '' } = query
    if (getSignature(token, timestamp, nonce, sealed) !== query.msg_signature) return reply.code(403).send()
    const opened = decrypt(aesKey, sealed)
    if (opened.id !== '') return reply.code(403).send()
    const message = JSON.parse(opened.message)
    received.push(message)
    queries.push(query)
    const chosen = answer(message)
    if (chosen === null) return reply.send('')
    if (typeof chosen === 'string') return reply.send(chosen)
    const body = encrypt(aesKey, JSON.stringify(chosen), spoil.receiveId ?? '')
    const own = spoil.timestamp ?? 1700000000
    return {
      encrypt: body,
      msgsignature: spoil.signature ?? getSignature(token, String(own), spoil.nonce ?? nonce, body),
      timestamp: own,
      nonce: spoil.nonce ?? nonce,
    }
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return stopLater({ received, queries, url: `http://127.0.0.1:${port}/bot`, stop: () => app.close() })
}

export async function withBot(
  answer: (message: Message) => object | string | null,
  settings: Partial<AibotSettings> = {},
  spoil: Spoil = {},
) {
  const all = await simulate()
  const server = await startBotServer(answer, spoil)
  const { aibot } = all.sim
  aibot.add({
    token,
    aesKey,
    botId: 'BOT1',
    name: '群阵助手',
    userIds: 'plain',
    callbackUrl: server.url,
    pollMs: 5,
    ...settings,
  })
  const li = all.sim.addPerson({ name: '李明', wecomUserId: 'LiMing' })
  const wang = all.sim.addPerson({ name: '王芳', wecomUserId: 'WangFang' })
  const group = all.sim.createGroup({
    kind: 'internal',
    name: '县项目办',
    ownerId: li.id,
    memberIds: [wang.id],
  })
  return { ...all, server, aibot, li, wang, group }
}

export const done = (content: string, id = 's1') => ({
  msgtype: 'stream',
  stream: { id, finish: true, content },
})
export const card = {
  card_type: 'button_interaction',
  task_id: 'task-1',
  main_title: { title: '入群申请' },
  button_list: [{ text: '同意', key: 'yes' }],
}
export const texts = (messages: { text: string }[]) => messages.map(message => message.text)
export const reasons = (log: { kind: string; reason?: unknown }[]) =>
  log.filter(entry => entry.kind === 'bad_reply').map(entry => entry.reason)
