import type { Core } from './core.ts'
import { mainAccount, mainApp, unixSeconds } from './core.ts'
import { newResponseCode } from './delivery.ts'
import { recordReply } from './replies.ts'
import type { Trigger } from './service-window.ts'
import { excerpt } from './text.ts'
import type { ChatMessage, Reply, Via } from './types.ts'
import { type Content, defaultVia, type PersonRecord } from './world.ts'
import type { XmlFields } from './xml.ts'

/** What a follower sees when an Official Account does not answer well. */
const OUT_OF_SERVICE = '该公众号暂时无法提供服务，请稍后再试'

interface Sending {
  person: PersonRecord
  via: Via
  fields: XmlFields
  /** The card that was tapped, for replies that change it. */
  tapped?: ChatMessage
  /** The person waits for an answer, so a failing Official Account shows its notice. */
  expectsAnswer?: boolean
}

/** Sends one message or event of a person to the server and records the passive replies. */
async function sendFromPerson(
  core: Core,
  { person, via, fields, tapped, expectsAnswer }: Sending,
): Promise<Reply[]> {
  const channel = via === 'wecom' ? mainApp(core).channel : mainAccount(core).channel
  const isMessage = fields.MsgType !== 'event'
  const outcome = await core.callbacks.send({
    channel,
    fields: {
      ToUserName: channel.toUserName,
      FromUserName: via === 'wecom' ? person.wecomUserId : person.openId,
      CreateTime: unixSeconds(core.clock.now()),
      ...fields,
      ...(isMessage ? { MsgId: BigInt(core.ids.bigNumber()) } : {}),
      ...(channel.agentId === undefined ? {} : { AgentID: channel.agentId }),
    },
  })
  const replies = outcome.replies.flatMap(reply => recordReply(core, person, via, reply, tapped) ?? [])
  if (outcome.failed && expectsAnswer && via === 'officialAccount') {
    core.world.addMessage(person, {
      at: core.clock.now(),
      from: 'bot',
      via,
      kind: 'system',
      text: OUT_OF_SERVICE,
    })
    core.log.add('out_of_service', { personId: person.id })
  }
  return replies
}

function checkReachable(person: PersonRecord, via: Via): void {
  if (via === 'wecom' && person.wecomUserId === undefined)
    throw new Error(`${person.name} is not a WeCom member`)
  if (via === 'officialAccount' && !person.follows)
    throw new Error(`${person.name} does not follow the Official Account`)
}

function openWindow(core: Core, person: PersonRecord, via: Via, trigger: Trigger): void {
  if (via === 'officialAccount' && person.openId !== undefined) core.windows.open(person.openId, trigger)
}

/** A message of a person to the bot, whatever its type. */
export async function sendMessage(
  core: Core,
  personId: string,
  fields: XmlFields,
  content: Content,
  chosen?: Via,
): Promise<Reply[]> {
  const person = core.world.person(personId)
  const via = chosen ?? defaultVia(person)
  checkReachable(person, via)
  const message = core.world.addMessage(person, { at: core.clock.now(), from: 'person', via, ...content })
  core.log.add('said', {
    personId,
    via,
    messageId: message.id,
    messageKind: content.kind,
    text: excerpt(content.text, 500),
  })
  openWindow(core, person, via, 'message')
  return sendFromPerson(core, { person, via, fields, expectsAnswer: true })
}

export function say(core: Core, personId: string, text: string, via?: Via): Promise<Reply[]> {
  return sendMessage(core, personId, { MsgType: 'text', Content: text }, { kind: 'text', text }, via)
}

/** A picture: its bytes, or an address that it is said to have; without either the simulator's own test picture. */
export function sendImage(
  core: Core,
  personId: string,
  picture?: string | Buffer,
  via?: Via,
): Promise<Reply[]> {
  const person = core.world.person(personId)
  const chosen = via ?? defaultVia(person)
  const owner = chosen === 'wecom' ? mainApp(core).corpId : mainAccount(core).appId
  const bytes = Buffer.isBuffer(picture) ? picture : TEST_PICTURE
  const media = core.media.put({ type: 'image', fileName: 'photo.png', bytes, owner })
  const url = typeof picture === 'string' ? picture : `${core.url}/media/${media.id}`
  const fields = { MsgType: 'image', PicUrl: url, MediaId: media.id }
  return sendMessage(core, personId, fields, { kind: 'image', text: '[图片]', mediaId: media.id }, chosen)
}

/** One black dot. */
const TEST_PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==',
  'base64',
)

export function sendLink(
  core: Core,
  personId: string,
  link: { title: string; url: string; description?: string },
  via?: Via,
): Promise<Reply[]> {
  const { title, url, description = '' } = link
  const fields = { MsgType: 'link', Title: title, Description: description, Url: url }
  const card = { cardType: 'link', title, description, url, rows: [], buttons: [], questions: [] }
  return sendMessage(core, personId, fields, { kind: 'link', text: `[链接]${title}`, card }, via)
}

export function sendLocation(
  core: Core,
  personId: string,
  place: { latitude: number; longitude: number; label: string },
  via?: Via,
): Promise<Reply[]> {
  const chosen = via ?? defaultVia(core.world.person(personId))
  const fields = {
    MsgType: 'location',
    Location_X: place.latitude,
    Location_Y: place.longitude,
    Scale: 16,
    Label: place.label,
    ...(chosen === 'wecom' ? { AppType: 'wxwork' } : {}),
  }
  return sendMessage(core, personId, fields, { kind: 'location', text: `[位置]${place.label}` }, chosen)
}

/** Follows the Official Account; with a scene by its QR code. Who follows already only scans. */
export async function follow(core: Core, personId: string, scene?: string): Promise<Reply[]> {
  const person = core.world.person(personId)
  if (person.openId === undefined) throw new Error(`${person.name} has no openid`)
  const ticket = scene === undefined ? {} : { Ticket: `gQ${core.ids.letters(90)}==` }
  const before = person.follows
  if (before && scene === undefined) return []
  person.follows = true
  if (!before) {
    person.followedAt = core.clock.now()
    if (scene === undefined) delete person.followScene
    else person.followScene = scene
  }
  core.log.add(before ? 'scan' : 'follow', { personId, ...(scene === undefined ? {} : { scene }) })
  openWindow(core, person, 'officialAccount', before ? 'scan' : 'subscribe')
  const key = before ? scene : scene === undefined ? '' : `qrscene_${scene}`
  const fields = { MsgType: 'event', Event: before ? 'SCAN' : 'subscribe', EventKey: key, ...ticket }
  return sendFromPerson(core, { person, via: 'officialAccount', fields })
}

export async function unfollow(core: Core, personId: string): Promise<void> {
  const person = core.world.person(personId)
  if (!person.follows) return
  person.follows = false
  core.log.add('unfollow', { personId })
  const fields = { MsgType: 'event', Event: 'unsubscribe', EventKey: '' }
  await sendFromPerson(core, { person, via: 'officialAccount', fields })
}

/** A menu button with a key. */
export async function clickMenu(core: Core, personId: string, key: string, chosen?: Via): Promise<Reply[]> {
  const person = core.world.person(personId)
  const via = chosen ?? defaultVia(person)
  checkReachable(person, via)
  core.log.add('menu_click', { personId, via, key })
  openWindow(core, person, via, 'menu')
  const fields = { MsgType: 'event', Event: via === 'wecom' ? 'click' : 'CLICK', EventKey: key }
  return sendFromPerson(core, { person, via, fields, expectsAnswer: true })
}

/** Opens the WeCom app's chat, of which the app is told. */
export async function enterApp(core: Core, personId: string): Promise<Reply[]> {
  const person = core.world.person(personId)
  checkReachable(person, 'wecom')
  return sendFromPerson(core, {
    person,
    via: 'wecom',
    fields: { MsgType: 'event', Event: 'enter_agent', EventKey: '' },
  })
}

/**
 * Taps a button of a card.
 *
 * A WeCom template card sends template_card_event with what was chosen; an item of an Official Account's menu message
 * sends its text. A card whose button was replaced cannot be tapped again.
 * @param choices question key → ids of the options chosen
 */
export async function tapCard(
  core: Core,
  personId: string,
  messageId: string,
  buttonKey: string,
  choices: Record<string, string[]> = {},
): Promise<Reply[]> {
  const person = core.world.person(personId)
  const message = person.inbox.find(candidate => candidate.id === messageId)
  const button = message?.card?.buttons.find(candidate => candidate.key === buttonKey)
  if (!message?.card || !button) throw new Error(`message ${messageId} has no button ${buttonKey}`)
  if (message.recalled) throw new Error('the message was taken back')
  if (message.card.replacedText !== undefined) throw new Error('the card was answered before')
  const { card, via } = message
  if (card.cardType === 'msgmenu') {
    const fields = { MsgType: 'text', Content: button.text, bizmsgmenuid: buttonKey }
    return sendMessage(core, personId, fields, { kind: 'text', text: button.text }, via)
  }
  core.log.add('tapped', { personId, messageId, key: buttonKey })
  const app = mainApp(core)
  const selected = card.questions.map(question => {
    const ids = choices[question.questionKey] ?? []
    const known = ids.every(id => question.options.some(option => option.id === id))
    if (!known || (ids.length > 1 && !question.multiple))
      throw new Error(`wrong choice for ${question.questionKey}`)
    return core.options.optionSpelling === 'OpitonIds'
      ? { QuestionKey: question.questionKey, OpitonIds: { OpitonId: ids } }
      : { QuestionKey: question.questionKey, OptionIds: { OptionId: ids } }
  })
  const fields: XmlFields = {
    MsgType: 'event',
    Event: button.menu ? 'template_card_menu_event' : 'template_card_event',
    EventKey: buttonKey,
    TaskId: card.taskId ?? '',
    CardType: card.cardType,
    ResponseCode: newResponseCode(core, app.agentId, [{ person, message }]),
    ...(selected.length > 0 ? { SelectedItems: { SelectedItem: selected } } : {}),
  }
  return sendFromPerson(core, { person, via, fields, tapped: message })
}

/** A customer adds a staff member as a friend; the server is told, with a welcome code that lives 20 seconds. */
export async function befriend(
  core: Core,
  staffId: string,
  customerId: string,
  how: { state?: string; addWay?: number; isHalf?: boolean } = {},
): Promise<void> {
  const staff = core.world.person(staffId)
  const customer = core.world.person(customerId)
  if (staff.wecomUserId === undefined) throw new Error(`${staff.name} is not a WeCom member`)
  const externalUserId = core.world.memberIdOf(customer, 'customer')
  const code = core.ids.letters(40)
  const now = core.clock.now()
  const relation = {
    userId: staff.wecomUserId,
    externalUserId,
    createdAt: now,
    addWay: how.addWay ?? 1,
    remark: customer.name,
    description: '',
    company: '',
    mobiles: [],
    tagIds: [],
    ...(how.state === undefined ? {} : { state: how.state }),
  }
  const known = core.world.relations.get(externalUserId) ?? []
  core.world.relations.set(externalUserId, [
    ...known.filter(other => other.userId !== relation.userId),
    relation,
  ])
  core.world.welcomeCodes.set(code, {
    code,
    expiresAt: now.getTime() + 20_000,
    personId: customerId,
  })
  core.log.add('befriended', { staffId, customerId })
  const { channel } = mainApp(core)
  await core.callbacks.send({
    channel,
    fields: {
      ToUserName: channel.toUserName,
      FromUserName: 'sys',
      CreateTime: unixSeconds(now),
      MsgType: 'event',
      Event: 'change_external_contact',
      ChangeType: how.isHalf ? 'add_half_external_contact' : 'add_external_contact',
      UserID: staff.wecomUserId,
      ExternalUserID: externalUserId,
      State: how.state,
      WelcomeCode: code,
    },
  })
}
