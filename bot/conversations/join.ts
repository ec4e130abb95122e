import type { GroupWithUnit } from '../../db/queries/groups.ts'
import { requireGroup } from '../../server/domain/groups/register.ts'
import {
  occupationChoices,
  parseRegistration,
  selfRegister,
} from '../../server/domain/join-requests/self-register.ts'
import { submitJoinRequest } from '../../server/domain/join-requests/submit.ts'
import type { Context } from '../context.ts'
import type { Conversation } from '../conversation.ts'

const isOpenGroup = (ctx: Context, group: GroupWithUnit) =>
  ctx.rt.templates.groupKind(group.programme, group.kind).admission === 'self-registration'

/** Asks what a group needs to know: name and occupation in an open one, who one is in an audited one. */
export const joinConversation: Conversation = {
  name: 'join',
  title: '入群申请',
  version: 1,
  fields: [
    {
      name: 'who',
      isText: true,
      async ask(ctx, answers) {
        const group = await requireGroup(ctx.rt, Number(answers.group))
        if (isOpenGroup(ctx, group))
          return `欢迎加入“${group.name}”！请回复：姓名 在乡或外出 职业，如：张小明 在乡 务农\n${choiceLines(ctx, group)}`
        return [
          `申请加入“${group.name}”。请回复姓名和手机号（或身份证号后六位），如：张小明 13800000000`,
          '所填内容只用于核对名册，审核通过后由本单位负责同志按规定保存；发送即表示同意。身份证号可以不写；用途和撤回办法，通过后发送“网页”在“我的”里看。',
        ].join('\n')
      },
      async read(ctx, text, answers) {
        if (text === '') return { error: '请用文字写明姓名和手机号（或身份证号后六位）。' }
        const group = await requireGroup(ctx.rt, Number(answers.group))
        const reply = await joinWithText(ctx, group, text)
        return reply === null
          ? {
              error: `请把姓名、在乡或外出、职业写在一条里，如：张小明 在乡 务农\n${choiceLines(ctx, group)}`,
            }
          : { value: reply }
      },
    },
  ],
  // the request itself was made with the answer, so that its personal data is never kept here
  finish: async (_ctx, answers) => answers.who as string,
}

/** Registers or asks with what one line says; null when an open group's line lacks something. */
export async function joinWithText(ctx: Context, group: GroupWithUnit, text: string): Promise<string | null> {
  if (!isOpenGroup(ctx, group)) return (await submitJoinRequest(ctx.rt, ctx.actor, group, text)).answer
  const said = parseRegistration(occupationChoices(ctx.rt, group.programme), text)
  if (!said) return null
  return (
    await selfRegister(ctx.rt, ctx.actor, group, {
      name: said.name,
      residence: said.choice.residence,
      occupation: said.choice.occupation,
    })
  ).answer
}

function choiceLines(ctx: Context, group: GroupWithUnit): string {
  const choices = occupationChoices(ctx.rt, group.programme)
  return `也可用编号（如：张小明 1）：${choices.map((choice, index) => `${index + 1} ${choice.residenceName}${choice.name}`).join('、')}`
}
