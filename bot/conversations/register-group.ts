import { type UnitRow, unitById } from '../../db/queries/units.ts'
import { managingRoles } from '../../server/domain/actor.ts'
import {
  checkGroupName,
  type Platform,
  platforms,
  reachableUnits,
  registerGroup,
  webhookKeyOf,
} from '../../server/domain/groups/register.ts'
import { DomainError } from '../../server/errors.ts'
import type { GroupKind } from '../../server/templates.ts'
import type { Context, KnownContext } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'
import { readNumber } from '../words.ts'

const platformWords: Record<string, Platform> = {
  ...(Object.fromEntries(Object.entries(platforms).map(([id, word]) => [word, id])) as Record<
    string,
    Platform
  >),
  微信: 'wechat',
  普通群: 'wechat',
  企微客户群: 'customer',
  机器人: 'internal',
  企微群: 'internal',
  应用: 'appchat',
  微信普通群: 'wechat',
  普通微信群: 'wechat',
  企业微信群: 'internal',
  内部群: 'internal',
}

/** 客户群 is told by the platform and claimed, so it is not among the answers. */
const platformQuestion =
  '群在哪里？请回复：微信群 / 机器人群（企业微信内部群，已添加消息推送机器人）/ 应用群（由本应用创建）。\n企业微信客户群不用登记，建好后机器人会请您认领。'

/** Asks kind, unit, platform, name, size and way in, and registers the group. */
export const registerGroupConversation: Conversation = {
  name: 'register-group',
  title: '建群',
  version: 2,
  fields: [
    {
      name: 'kind',
      ask: ctx => `这是什么群？请回复群类型：${kindNames(ctx as KnownContext).join('、')}`,
      async read(ctx, text) {
        const found = await findKindAndUnit(ctx as KnownContext, text)
        if ('unit' in found) return { value: found.kind.id, also: { unit: String(found.unit.id) } }
        return found.kind === undefined ? { error: found.error } : { value: found.kind.id }
      },
    },
    {
      name: 'unit',
      ask: () => '是哪个单位的群？请回复单位名称。',
      async read(ctx, text, answers) {
        const found = await findUnitFor(ctx as KnownContext, answers.kind as string, text)
        return 'error' in found ? found : { value: String(found.unit.id) }
      },
    },
    {
      name: 'platform',
      ask: () => platformQuestion,
      async read(_ctx, text) {
        const platform = platformWords[text.trim()]
        if (platform === undefined) return { error: platformQuestion }
        return platform === 'customer'
          ? { error: '客户群请在企业微信里建好，机器人会发来认领编号。' }
          : { value: platform }
      },
    },
    {
      name: 'name',
      ask: () => '群名称是什么？（与微信里一致）',
      async read(ctx, text, answers) {
        const name = readName(ctx, answers, text)
        return 'error' in name ? name : { value: name.value }
      },
    },
    {
      name: 'size',
      ask: () => '现在群里有多少人？请回复数字。',
      async read(_ctx, text) {
        const size = readNumber(text)
        return size === null || size < 1 || size > 5000
          ? { error: '请回复人数，如：86' }
          : { value: String(size) }
      },
    },
    {
      name: 'joinCode',
      isText: true,
      isNeeded: answers => answers.platform === 'wechat',
      ask: () =>
        '审核通过的人怎么入群？请回复入群链接或口令；由群主拉人请回复：拉人（二维码图片几天就失效，机器人不保存）',
      async read(_ctx, text) {
        if (text === '' || [...text].length > 300)
          return { error: '请回复入群链接或口令（300 字以内），或“拉人”。' }
        return { value: isByHand(text) ? '' : text }
      },
    },
    {
      name: 'webhook',
      isNeeded: answers => answers.platform === 'internal',
      ask: () => '请粘贴群机器人的 Webhook 地址（群设置 → 消息推送 → 复制地址）。地址会加密保存。',
      async read(ctx, text) {
        const key = webhookKeyOf(text)
        return key === null
          ? { error: '这不是 Webhook 地址。请在群设置 → 消息推送里复制地址，整段粘贴过来。' }
          : { value: ctx.rt.vault.seal(key) }
      },
    },
  ],
  async finish(ctx, answers) {
    const known = ctx as KnownContext
    const unit = (await unitById(ctx.rt.db, Number(answers.unit))) as UnitRow
    const group = await registerGroup(ctx.rt, known.actor, {
      kind: ctx.rt.templates.groupKind(unit.programme, answers.kind as string),
      unit,
      platform: answers.platform as Platform,
      name: answers.name as string,
      size: Number(answers.size),
      joinCode: answers.joinCode || null,
      webhook: answers.webhook ? ctx.rt.vault.open(answers.webhook) : null,
    })
    const how: Record<Platform, string> = {
      wechat: '通知会发给您，请转发到群后回一个字“转”。',
      internal: '通知会由群机器人直接发进群。',
      appchat: '正在创建，建好后通知直接发进群。',
      customer: '',
    }
    return `已登记：${group.name}，群号 ${group.id}（${group.unitName}，${group.size} 人），群主 ${group.ownerName}。${how[group.platform as Platform]}`
  },
}

const isByHand = (text: string) => /^[“"「]?(拉人|无|没有|群主拉人)[”"」]?$/.test(text)

/** A name by the rule of the kind that was chosen; quotes around it are not part of it. */
function readName(ctx: Context, answers: Answers, text: string): { value: string } | { error: string } {
  const kind = kindsOf(ctx as KnownContext).find(each => each.id === answers.kind)
  const bare = text.trim().replace(/^[“"「『《](.+)[”"」』》]$/, '$1')
  try {
    return { value: kind ? checkGroupName(kind, bare) : bare }
  } catch (error) {
    if (error instanceof DomainError) return { error: error.message }
    throw error
  }
}

/**
 * What one line says: `团青群 微信群 86人 镇川青年之家 单位镇川镇 入群码 https://…`; the rest will be asked. A robot's key is
 * sealed at once, because a dialogue is stored.
 * @returns `error`: what was said and cannot be; it will be asked too
 */
export async function readGroupLine(
  ctx: KnownContext,
  line: string,
): Promise<{ answers: Answers; error: string | null }> {
  const answers: Answers = {}
  let error: string | null = null
  const [head = '', joinCode] = line.split(/[\s,，、]*入群码[:：\s]\s*/)
  if (joinCode) answers.joinCode = isByHand(joinCode.trim()) ? '' : joinCode.trim().slice(0, 300)
  const names: string[] = []
  let unitWord = ''
  for (const word of head.split(/[\s,，、]+/).filter(each => each !== '')) {
    const size = /^\d{1,4}人?$|人$/.test(word) ? readNumber(word) : null
    const webhook = /\/cgi-bin\/webhook\/send\?key=/.test(word) ? webhookKeyOf(word) : null
    if (answers.kind === undefined && findKind(ctx, word))
      answers.kind = (findKind(ctx, word) as GroupKind).id
    else if (answers.platform === undefined && platformWords[word] && platformWords[word] !== 'customer')
      answers.platform = platformWords[word]
    else if (size !== null && answers.size === undefined) answers.size = String(size)
    else if (webhook !== null) answers.webhook = ctx.rt.vault.seal(webhook)
    else if (/^单位[:：]?./.test(word)) unitWord = word.replace(/^单位[:：]?/, '')
    else names.push(word)
  }
  if (answers.kind !== undefined) {
    const found = await findUnitFor(ctx, answers.kind, unitWord)
    if ('unit' in found) answers.unit = String(found.unit.id)
    else if (unitWord !== '') error = found.error
  }
  if (names.length > 0) {
    const name = readName(ctx, answers, names.join(' '))
    if ('value' in name) answers.name = name.value
    else error = name.error
  }
  return { answers, error }
}

/** The group kind that a word names, and the unit where only one fits. */
export async function findKindAndUnit(
  ctx: KnownContext,
  text: string,
): Promise<{ kind: GroupKind; unit: UnitRow } | { error: string; kind?: GroupKind }> {
  const [word = '', unitWord = ''] = text.split(/[\s,，]+/)
  const kind = findKind(ctx, word)
  if (!kind) return { error: `没有“${word}”这种群。可选：${kindNames(ctx).join('、')}` }
  const found = await findUnitFor(ctx, kind.id, unitWord)
  return 'error' in found ? { error: found.error, kind } : { kind, unit: found.unit }
}

/** The kinds that the actor's units have, and those of the units below the ones they run. */
function kindsOf(ctx: KnownContext): GroupKind[] {
  const { templates } = ctx.rt
  const { roles } = ctx.actor
  const managing = managingRoles(templates, ctx.actor)
  return [...new Set(roles.map(role => role.programme))].flatMap(id => {
    const { levels, groupKinds } = templates.programme(id)
    const depth = (level: string) => levels.findIndex(each => each.id === level)
    const isNear = (unitKind: string) => {
      const own = depth(templates.unitKind(id, unitKind).level)
      return (
        roles.some(role => role.programme === id && depth(role.level) === own) ||
        managing.some(role => role.programme === id && depth(role.level) < own)
      )
    }
    return groupKinds.filter(kind => kind.unitKinds.some(isNear))
  })
}

function kindNames(ctx: KnownContext): string[] {
  return kindsOf(ctx).map(kind => kind.name)
}

function findKind(ctx: KnownContext, word: string): GroupKind | null {
  const kinds = kindsOf(ctx)
  return (
    kinds.find(kind => kind.name === word) ??
    (/群$/.test(word) ? (kinds.find(kind => kind.name.endsWith(word)) ?? null) : null)
  )
}

/** The unit of a group of this kind: one of the actor's own, or the one named below them. */
async function findUnitFor(
  ctx: KnownContext,
  kindId: string,
  name: string,
): Promise<{ unit: UnitRow } | { error: string }> {
  const kind = kindsOf(ctx).find(each => each.id === kindId)
  if (!kind) return { error: '没有这种群。' }
  if (name === '') {
    const own: UnitRow[] = []
    for (const role of ctx.actor.roles) {
      const unit = await unitById(ctx.rt.db, role.unitId)
      if (unit && kind.unitKinds.includes(unit.kind) && !own.some(each => each.id === unit.id)) own.push(unit)
    }
    const [unit] = own
    return unit && own.length === 1 ? { unit } : { error: '请回复单位名称。' }
  }
  const found = (await reachableUnits(ctx.rt, ctx.actor, name)).filter(unit =>
    kind.unitKinds.includes(unit.kind),
  )
  const [unit] = found
  if (unit && found.length === 1) return { unit }
  return {
    error:
      found.length === 0
        ? `在您的单位和下级里没有找到“${name}”。请回复单位全称。`
        : `有 ${found.length} 个单位叫“${name}”，请回复更完整的名称：${found
            .slice(0, 5)
            .map(each => each.name)
            .join('、')}`,
  }
}
