import type { WecomConfig } from '../../config.ts'
import { type Capability, lacksOf, requireCapability } from '../capabilities.ts'
import type { WecomChannel } from '../channel.ts'
import { ChannelError } from '../errors.ts'
import { callPlatform, fetchPlatformFile } from '../http.ts'
import type { ChannelServices } from '../services.ts'
import { readToken, TokenSource } from '../token.ts'
import { createAppChats } from './app-chats.ts'
import { text, texts, type WecomCall, type WecomFetch } from './call.ts'
import { wecomCodes } from './codes.ts'
import { createContactWays } from './contact-ways.ts'
import { createCorpSharing } from './corp-sharing.ts'
import { createCustomerGroups } from './customer-groups.ts'
import { createCustomers } from './customers.ts'
import { createDirectory } from './directory.ts'
import { createWecomDoor } from './door.ts'
import { createJoinWays } from './join-ways.ts'
import { createLogin } from './login.ts'
import { createMassMessages } from './mass-messages.ts'
import { createMedia } from './media.ts'
import { createMessages } from './messages.ts'
import type { WecomPorts } from './ports.ts'
import { createRobots } from './robots.ts'
import { createTags } from './tags.ts'
import { createWelcomes } from './welcome.ts'

/** The WeCom app: where its callbacks come in, and all it can be asked for. */
export function createWecomChannel(config: WecomConfig, services: ChannelServices): WecomChannel {
  const ports = createWecomPorts(config, services)
  return {
    ...createWecomDoor(config, services),
    ...ports,
    lacks: lacksOf(config),

    async sendText(address, content) {
      const sent = await ports.messages.send({ users: [address] }, { kind: 'text', text: content })
      if (sent.invalidUsers.length > 0)
        throw new ChannelError('recipient', '对方不在企业微信应用的可见范围内')
      if (sent.unlicensedUsers.length > 0) throw new ChannelError('recipient', '对方的账号没有接口许可')
      return { platformId: sent.parts[0]?.messageId ?? '' }
    },

    postToRobot: (key, content) => ports.robots.post(key, { kind: 'text', text: content }),
    createAppChat: chat => ports.appChats.create(chat),
    postToAppChat: (chatId, content) => ports.appChats.post(chatId, { kind: 'text', text: content }),
    readGroup: chatId => ports.groups.read(chatId),
    createJoinWay: (chatId, state) => ports.joinWays.add({ chatIds: [chatId], state }),
    deleteJoinWay: configId => ports.joinWays.remove(configId),

    async createMassTask(sender, chatIds, content) {
      const task = await ports.mass.create({ kind: 'groups', sender, chatIds }, { text: content })
      if (chatIds.length > 0 && task.failed.length >= new Set(chatIds).size)
        throw new ChannelError('recipient', '这些群都收不到群发（不是该群主的群，或本月次数已满）')
      return { platformId: task.taskId }
    },

    async readMassTask(taskId, sender) {
      const results = await ports.mass.readResults(taskId, sender)
      return results.flatMap(({ target, state, sentAt }) =>
        state === 'sent' && sentAt ? [{ chatId: target, sentAt }] : [],
      )
    },
  }
}

/** What an interface belongs to that not every corp has; null for those that all have. */
function capabilityOf(path: string): Capability | null {
  const [, name] = /^\/cgi-bin\/externalcontact\/(.+)$/.exec(path) ?? []
  if (name === undefined) return null
  if (name.endsWith('_join_way')) return 'joinWays'
  if (name.startsWith('groupchat/')) return 'customerGroups'
  if (name === 'add_msg_template' || name.includes('groupmsg')) return 'massTasks'
  return name.includes('welcome') ? 'welcome' : 'customerTags'
}

function createWecomPorts(config: WecomConfig, services: ChannelServices): WecomPorts {
  const http = {
    channel: 'wecom' as const,
    baseUrl: config.baseUrl,
    trace: services.trace,
    beforeCall: services.beforeCall,
    codes: wecomCodes,
  }
  const { now } = services
  const callsWith =
    (tokens: TokenSource): WecomCall =>
    async request => {
      const capability = capabilityOf(request.path)
      if (capability) requireCapability(config, capability)
      return tokens.with(token =>
        callPlatform(http, { ...request, query: { access_token: token, ...request.query } }),
      )
    }
  const tokens = new TokenSource('wecom', services.tokens, now, async () => {
    const query = { corpid: config.corpId, corpsecret: config.secret }
    return readToken(await callPlatform(http, { path: '/cgi-bin/gettoken', query, isSafe: true }))
  })
  const call = callsWith(tokens)
  const fetchFile: WecomFetch = (request, maxBytes) =>
    tokens.with(token => {
      const query = { access_token: token, ...request.query }
      return fetchPlatformFile(http, { ...request, query }, maxBytes)
    })
  const customers = createCustomers(call)
  return {
    messages: createMessages(call, config),
    appChats: createAppChats(call),
    robots: createRobots(http),
    groups: createCustomerGroups(call, now, customers.listFollowUsers),
    joinWays: createJoinWays(call),
    mass: createMassMessages(call),
    welcomes: createWelcomes(call, config),
    customers,
    tags: createTags(call),
    contactWays: createContactWays(call),
    directory: createDirectory(call),
    login: createLogin(call, config, now, createTickets(call, services)),
    media: createMedia(call, fetchFile),
    sharing: createCorpSharing(call, config.agentId, now, (account, fetchToken) =>
      callsWith(new TokenSource(account, services.tokens, now, fetchToken)),
    ),
    addresses: {
      callbacks: async () => texts((await call({ path: '/cgi-bin/getcallbackip', isSafe: true })).ip_list),
      calls: async () => texts((await call({ path: '/cgi-bin/get_api_domain_ip', isSafe: true })).ip_list),
    },
  }
}

/** Tickets for signing pages are kept like tokens: the platform gives 400 an hour to a corp and 100 to an app. */
function createTickets(call: WecomCall, services: ChannelServices) {
  const sources = {
    corp: ticketSource('wecom:ticket:corp', { path: '/cgi-bin/get_jsapi_ticket' }),
    app: ticketSource('wecom:ticket:app', { path: '/cgi-bin/ticket/get', query: { type: 'agent_config' } }),
  }
  function ticketSource(account: string, request: { path: string; query?: Record<string, string> }) {
    return new TokenSource(account, services.tokens, services.now, async () => {
      const answer = await call({ ...request, isSafe: true })
      return readToken({ access_token: text(answer.ticket), expires_in: answer.expires_in })
    })
  }
  return (kind: 'corp' | 'app') => sources[kind].with(async ticket => ticket)
}
