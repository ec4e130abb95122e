import { branchesOf, officesOf } from '../../db/queries/contacts.ts'
import { dayOf } from '../../server/clock.ts'
import { assignContact, suggestFor } from '../../server/domain/contacts/assign.ts'
import { contactRules } from '../../server/domain/contacts/rules.ts'
import type { Command } from '../command.ts'
import type { KnownContext } from '../context.ts'
import { advance, leave } from '../conversation.ts'
import { readVisitLine, visitConversation } from '../conversations/visit.ts'

export const contactCommand: Command = {
  name: '联系点',
  aliases: ['我的联系点'],
  usage: '联系点 [团支部]：您长期联系的团支部',
  example: '联系点 榆阳区第一团支部',
  audience: 'known',
  async run(ctx, input) {
    const name = input.trim()
    return name === '' ? ownContacts(ctx) : choose(ctx, name)
  },
}

export const visitCommand: Command = {
  name: '走访',
  aliases: ['走访调研'],
  usage: '走访 日期 地点：登记走访了联系的团支部',
  example: '走访 9月12日 镇川镇',
  audience: 'known',
  async run(ctx, input) {
    await leave(ctx)
    return advance(ctx, visitConversation, await readVisitLine(ctx, input))
  },
}

const notOfOffice = '长期联系团支部是西部计划全国、省、地市项目办同志的工作，您没有这样的职务。'

/** The offices by which somebody owes contact, of all programmes. */
async function officesFor(ctx: KnownContext) {
  const found = []
  for (const { scope } of contactRules(ctx.templates))
    for (const office of await officesOf(ctx.rt.db, ctx.actor.person.id, scope))
      found.push({ ...office, programme: scope.programme })
  return found
}

async function ownContacts(ctx: KnownContext): Promise<string> {
  const lines: string[] = []
  for (const { scope, visits } of contactRules(ctx.templates)) {
    const year = dayOf(ctx.rt.clock.now()).slice(0, 4)
    for (const branch of await branchesOf(ctx.rt.db, ctx.actor.person.id, scope, year))
      lines.push(
        `· ${branch.unitName}：${branch.isInGroup === null ? '支部还没有群' : branch.isInGroup ? '在支部群里' : '还不在支部群里'}，${branch.visitsThisYear >= visits ? `今年走访 ${branch.visitsThisYear} 次` : '今年还没有走访'}`,
      )
  }
  if (lines.length > 0)
    return ['您长期联系：', ...lines, '走访后请回复：走访 日期 地点（如：走访 今天 镇川镇）'].join('\n')
  const [office] = await officesFor(ctx)
  if (!office) return notOfOffice
  const branches = await suggestFor(ctx.rt, office, ctx.actor.person.id)
  if (branches.length === 0) return `${office.name}范围内还没有团支部。`
  return [
    '您还没有联系点，请选一个团支部（先列没有人联系的）：',
    ...branches.map(branch => `· ${branch.name}（${branch.parentName}）`),
    `请回复：联系点 ${branches[0]?.name ?? ''}`,
  ].join('\n')
}

async function choose(ctx: KnownContext, name: string): Promise<string> {
  const offices = await officesFor(ctx)
  if (offices.length === 0) return notOfOffice
  for (const office of offices) {
    const found = await suggestFor(ctx.rt, office, ctx.actor.person.id, name)
    const exact = found.filter(branch => branch.name === name)
    const branches = exact.length > 0 ? exact : found
    const [branch] = branches
    if (!branch) continue
    if (branches.length > 1)
      return [
        `有几个：${branches.map(each => `${each.name}（${each.parentName}）`).join('、')}`,
        `请写全名，如：联系点 ${branch.name}`,
      ].join('\n')
    const contact = await assignContact(ctx.rt, ctx.actor, {
      officeId: office.id,
      personId: ctx.actor.person.id,
      unitId: branch.id,
    })
    return `您从今天起长期联系${contact.unitName}，请加入它的群，主动了解志愿者的工作、生活和思想动态。走访后请回复：走访 日期 地点`
  }
  return `没有叫“${name}”的团支部，或您已经联系着它。发送“联系点”看看。`
}
