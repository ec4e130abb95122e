import type { GroupWithUnit } from '../../db/queries/groups.ts'
import { requireGroup } from '../../server/domain/groups/register.ts'
import {
  type OccupationChoice,
  occupationChoices,
  parseChoice,
  parseRegistration,
  readOwnName,
  selfRegister,
} from '../../server/domain/join-requests/self-register.ts'
import { submitJoinRequest } from '../../server/domain/join-requests/submit.ts'
import type { Context } from '../context.ts'
import type { Answers, Conversation } from '../conversation.ts'

const isOpenGroup = (ctx: Context, group: GroupWithUnit) =>
  ctx.rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration'

/** What a dialogue about a group begins with. */
export function joinAnswers(ctx: Context, group: GroupWithUnit): Answers {
  return { group: String(group.id), ...(isOpenGroup(ctx, group) ? { isOpen: 'yes' } : {}) }
}

/**
 * Asks what a group needs to know: in an open one where somebody lives and what they do, by one tap, and the name of whom
 * we do not know; in an audited one who one is.
 */
export const joinConversation: Conversation = {
  name: 'join',
  title: '入群申请',
  version: 2,
  fields: [
    {
      name: 'choice',
      isNeeded: answers => answers.isOpen === 'yes',
      async ask(ctx, answers) {
        const group = await requireGroup(ctx.rt, Number(answers.group))
        const also = ctx.actor.person ? '' : '（也可连姓名一起，如：张小明 1）'
        return `欢迎加入“${group.name}”！您在乡还是外出、做什么？请回复一个数字${also}：\n${choiceLines(ctx, group)}`
      },
      async read(ctx, text, answers) {
        const group = await requireGroup(ctx.rt, Number(answers.group))
        const choices = occupationChoices(ctx.rt, group.programme)
        const chosen = parseChoice(choices, text)
        if (chosen === null) {
          const reply = await joinWithText(ctx, group, text)
          return reply === null
            ? { error: `请回复一个数字，或姓名加数字（如：张小明 1）：\n${choiceLines(ctx, group)}` }
            : { value: '', also: { who: reply } }
        }
        const value = String(choices.indexOf(chosen))
        if (!ctx.actor.person) return { value }
        return { value, also: { who: await register(ctx, group, ctx.actor.person.name, chosen) } }
      },
    },
    {
      name: 'who',
      isText: true,
      async ask(ctx, answers) {
        if (answers.isOpen === 'yes') return '请回复您的姓名。'
        const group = await requireGroup(ctx.rt, Number(answers.group))
        return [
          `申请加入“${group.name}”。请回复姓名和手机号（或身份证号后六位），如：张小明 13800000000`,
          '所填内容只用于核对名册，审核通过后由本单位负责同志按规定保存；发送即表示同意。身份证号可以不写；用途和撤回办法，通过后发送“网页”在“我的”里看。',
        ].join('\n')
      },
      async read(ctx, text, answers) {
        const group = await requireGroup(ctx.rt, Number(answers.group))
        const chosen = occupationChoices(ctx.rt, group.programme)[Number(answers.choice ?? -1)]
        if (chosen) {
          const name = readOwnName(text)
          if (name === null) return { error: '请回复您的姓名（2 到 15 个汉字）。' }
          return { value: await register(ctx, group, name, chosen) }
        }
        if (text === '') return { error: '请用文字写明姓名和手机号（或身份证号后六位）。' }
        const reply = await joinWithText(ctx, group, text)
        return reply === null ? { error: '请用文字写明姓名和手机号（或身份证号后六位）。' } : { value: reply }
      },
    },
  ],
  // the request itself was made with the answer, so that its personal data is never kept here
  finish: async (_ctx, answers) => answers.who as string,
}

async function register(
  ctx: Context,
  group: GroupWithUnit,
  name: string,
  { residence, occupation }: OccupationChoice,
): Promise<string> {
  return (await selfRegister(ctx.rt, ctx.actor, group, { name, residence, occupation })).answer
}

/** Registers or asks with what one line says; null when an open group's line lacks something. */
export async function joinWithText(ctx: Context, group: GroupWithUnit, text: string): Promise<string | null> {
  if (!isOpenGroup(ctx, group)) return (await submitJoinRequest(ctx.rt, ctx.actor, group, text)).answer
  const said = parseRegistration(occupationChoices(ctx.rt, group.programme), text)
  return said && register(ctx, group, said.name, said.choice)
}

function choiceLines(ctx: Context, group: GroupWithUnit): string {
  const choices = occupationChoices(ctx.rt, group.programme)
  return choices.map((choice, index) => `${index + 1} ${choice.residenceName}${choice.name}`).join('、')
}
