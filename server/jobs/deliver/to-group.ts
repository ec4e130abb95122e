import { openJoinPass, updateGroup, updateJoinPass } from '../../../db/queries/groups.ts'
import { identitiesOf } from '../../../db/queries/identities.ts'
import { isAwaited, noteAdded } from '../../../db/queries/join-passes.ts'
import type { SendResult, WecomChannel } from '../../channels/channel.ts'
import { ChannelError } from '../../channels/errors.ts'
import { shortenText, textLimits } from '../../channels/text.ts'
import type { Bubbles } from '../../channels/wecom/attachments.ts'
import type { RobotContent } from '../../channels/wecom/robots.ts'
import { chineseMoment } from '../../clock.ts'
import { entitledPersons } from '../../domain/groups/composition.ts'
import { sendToPerson as enqueueToPerson } from '../../domain/outgoing/enqueue.ts'
import { returnMassPlaces, takeMassPlaces } from '../../limits.ts'
import type { Runtime } from '../../runtime.ts'
import { type Content, linkTo, partsOf, readFile } from './content.ts'
import { massText } from './mass-text.ts'
import { isRobotPicture, sendFileToWecom } from './media.ts'
import {
  calling,
  type Message,
  placeFor,
  requireGroup,
  requireWecom,
  type Sent,
  sendSteps,
} from './message.ts'
import { sendToPerson } from './to-person.ts'

const EXTERNAL_CONTACT = '/cgi-bin/externalcontact'

/** Posts into an internal group by its robot. */
export async function postByRobot(rt: Runtime, message: Message, content: Content): Promise<Sent> {
  const wecom = requireWecom(rt)
  const { webhookSealed } = await requireGroup(rt, message)
  if (!webhookSealed) throw new ChannelError('recipient', '群机器人已移除')
  const key = rt.vault.open(webhookSealed)
  const post = async (text: string) => {
    await placeFor(rt, message, { to: 'robot', key })
    return calling(message, () => wecom.postToRobot(key, text))
  }
  return sendSteps(rt, message, [
    ...partsOf(content, textLimits.robot).map(text => () => post(text)),
    ...content.files.map(file => async (): Promise<SendResult> => {
      const bytes = await readFile(file)
      if (bytes === null) return post(linkTo(file))
      const body: RobotContent = isRobotPicture(file, bytes)
        ? { kind: 'image', bytes }
        : { kind: 'file', mediaId: await wecom.robots.upload(key, 'file', file.name, bytes) }
      await placeFor(rt, message, { to: 'robot', key })
      return calling(message, () => wecom.robots.post(key, body))
    }),
  ])
}

/** Posts into a group that the app made. */
export async function postToAppChat(rt: Runtime, message: Message, content: Content): Promise<Sent> {
  const wecom = requireWecom(rt)
  const { chatId, size } = await requireGroup(rt, message)
  if (!chatId) throw new ChannelError('recipient', '应用群还没有建好')
  const post = async (text: string) => {
    await placeFor(rt, message, { to: 'appchat', size })
    return calling(message, () => wecom.postToAppChat(chatId, text))
  }
  return sendSteps(rt, message, [
    ...partsOf(content, textLimits.appchat).map(text => () => post(text)),
    ...content.files.map(file => (): Promise<SendResult> => {
      return sendFileToWecom(rt, message, wecom, file, async uploaded => {
        if (uploaded === null) return post(linkTo(file))
        await placeFor(rt, message, { to: 'appchat', size })
        return calling(message, () => wecom.appChats.post(chatId, uploaded))
      })
    }),
  ])
}

/**
 * Makes a task that the owner confirms. Groups that have had this month's messages, or that the platform will not take,
 * are left out and come back as `unreached`.
 */
export async function createMassTask(rt: Runtime, message: Message, content: Content): Promise<Sent> {
  const wecom = requireWecom(rt)
  const { sender, text } = await massText(rt, message, content)
  const files = []
  for (const file of content.files)
    files.push({ file, uploaded: await sendFileToWecom(rt, message, wecom, file, async each => each) })
  const { link } = content
  const bubbles: Bubbles = {
    text: [text, ...files.filter(({ uploaded }) => uploaded === null).map(({ file }) => linkTo(file))].join(
      '\n',
    ),
    attachments: [
      ...(link ? [{ kind: 'link' as const, title: linkTitle(text), url: link }] : []),
      ...files.flatMap(({ uploaded }) => uploaded ?? []),
    ],
  }

  await placeFor(rt, message, { to: 'wecom-api', path: `${EXTERNAL_CONTACT}/add_msg_template` })
  const full = await takeMassPlaces(rt, message.chatIds ?? [])
  const chatIds = (message.chatIds ?? []).filter(chatId => !full.includes(chatId))
  if (chatIds.length === 0) throw new ChannelError('recipient', '这些群本月的群发次数都用完了')
  try {
    const { taskId, failed } = await calling(message, () =>
      wecom.mass.create({ kind: 'groups', sender, chatIds }, bubbles),
    )
    if (failed.length >= chatIds.length)
      throw new ChannelError('recipient', '这些群都收不到群发（不是该群主的群，或本月次数已满）')
    return { platformId: taskId, unreached: [...full, ...failed] }
  } catch (error) {
    // nothing was made, and nobody will get it
    if (error instanceof ChannelError && !error.isUncertain) await returnMassPlaces(rt, chatIds)
    throw error
  }
}

/** @see https://developer.work.weixin.qq.com/document/path/92135 */
const MAX_LINK_TITLE_BYTES = 128

/** A link in a mass task has a title of its own: the first line of the notice. */
function linkTitle(text: string): string {
  return shortenText(text.split('\n', 1)[0]?.trim() || '链接', MAX_LINK_TITLE_BYTES)
}

/** Makes the person's own way into a customer group and sends it to them. */
export async function handOutJoinPass(rt: Runtime, message: Message): Promise<Sent> {
  const wecom = requireWecom(rt)
  const group = await requireGroup(rt, message)
  const pass = await openJoinPass(rt.db, group.id, message.personId as number, message.identityId)
  if (!pass || !group.chatId) throw new ChannelError('rejected', '入群码已用过，或群已不在')
  // a way made by an attempt that broke off would stay open for ever
  if (pass.configId) {
    await placeFor(rt, message, { to: 'wecom-api', path: `${EXTERNAL_CONTACT}/groupchat/del_join_way` })
    await deleteWay(wecom, pass.configId)
    // should making the next one fail, nobody is to delete it again
    await updateJoinPass(rt.db, pass.id, { configId: null })
  }
  await placeFor(rt, message, { to: 'wecom-api', path: `${EXTERNAL_CONTACT}/groupchat/add_join_way` })
  const { configId, qrCode } = await wecom.createJoinWay(group.chatId, pass.state)
  await updateJoinPass(rt.db, pass.id, { configId })
  const until = pass.expiresAt ? `，${chineseMoment(pass.expiresAt)}前有效` : ''
  const text = `您加入“${group.name}”的专属入群码（仅限本人，一次有效${until}；转给别人会被发现，别人也进不去）：${qrCode}`
  return sendToPerson(rt, message, { texts: [text], files: [] })
}

/** invalid config_id. @see https://developer.work.weixin.qq.com/document/path/92229 */
const UNKNOWN_WAY = 41046

/** Deletes a join way; one that the platform knows no more is gone. */
async function deleteWay(wecom: WecomChannel, configId: string): Promise<void> {
  try {
    await wecom.deleteJoinWay(configId)
  } catch (error) {
    if (!(error instanceof ChannelError) || error.platformCode !== UNKNOWN_WAY) throw error
  }
}

/** Adds an approved person to a group that the app made; they are its member from then on. */
export async function addToAppChat(rt: Runtime, message: Message): Promise<Sent> {
  const wecom = requireWecom(rt)
  const group = await requireGroup(rt, message)
  if (!group.chatId || group.dissolvedAt) throw new ChannelError('rejected', '应用群已不在')
  const personId = message.personId as number
  // the approval was taken back while this was on its way
  if (!(await isAwaited(rt.db, group.id, personId))) throw new ChannelError('rejected', '审核结论已撤销')
  const [account] = (await identitiesOf(rt.db, personId)).filter(each => isMember(each))
  if (!account) throw new ChannelError('recipient', '本人没有绑定企业微信成员账号')
  await placeFor(rt, message, { to: 'wecom-api', path: '/cgi-bin/appchat/update' })
  await wecom.appChats.update(group.chatId, { add: [account.address] })
  await noteAdded(rt.db, group.id, personId, account.address)
  return { platformId: group.chatId }
}

/** People from outside the corp, whose ids begin with wm or wo, cannot be in a group of the app. */
function isMember({ channel, address }: { channel: string; address: string }): boolean {
  return channel === 'wecom' && !/^w[mo]/.test(address)
}

/** Makes the app's own group with those who belong in it and have a WeCom account. */
export async function createAppChat(rt: Runtime, message: Message): Promise<Sent> {
  const group = await requireGroup(rt, message)
  if (group.chatId) return { platformId: group.chatId }
  if (group.dissolvedAt) throw new ChannelError('rejected', '群已解散')
  const persons = [
    group.ownerId as number,
    ...(await entitledPersons(rt, group)).map(person => person.personId),
  ]
  const accounts = []
  for (const personId of new Set(persons))
    accounts.push(
      ...(await identitiesOf(rt.db, personId)).filter(account => account.channel === 'wecom').slice(0, 1),
    )
  const members = accounts.map(account => account.address)
  const owner = accounts.find(account => account.personId === group.ownerId)
  if (!owner || members.length < 2) {
    const text = `应用群“${group.name}”还建不了：至少要有两位成员绑定了企业微信。请先让成员绑定，系统会再试。`
    if (message.attempts === 1) await enqueueToPerson(rt, group.ownerId as number, 'task', text)
    throw new ChannelError('throttled', '成员还没有绑定企业微信')
  }
  await placeFor(rt, message, { to: 'new-appchat' })
  const chatId = await requireWecom(rt).createAppChat({
    chatId: `qunzhen${group.id}`,
    name: group.name,
    owner: owner.address,
    members,
  })
  await updateGroup(rt.db, group.id, { chatId, size: members.length })
  return { platformId: chatId }
}
