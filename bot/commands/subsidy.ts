import { billsOfPerson, type OwnBill } from '../../db/queries/pay-bills.ts'
import { runsToCheck } from '../../db/queries/subsidies.ts'
import { type BillState, isFinal } from '../../server/domain/subsidies/bill-state.ts'
import { failWordsForReceiver } from '../../server/domain/subsidies/fail-words.ts'
import { universitiesOf } from '../../server/domain/subsidies/officers.ts'
import { subsidyRules, yuan } from '../../server/domain/subsidies/rules.ts'
import { runAddress } from '../../server/domain/subsidies/runs.ts'
import type { Command } from '../command.ts'
import { type KnownContext, listReply } from '../context.ts'

/** 补贴: says how it stands and where it is dealt with. No money is moved from the chat. */
export const subsidyCommand: Command = {
  name: '补贴',
  aliases: ['我的补贴', '生活补贴'],
  usage: '补贴：一次性生活补贴到哪一步了',
  example: '补贴',
  audience: 'known',
  accepts: input => input === '',
  async run(ctx) {
    const offices = universitiesOf(ctx.rt, ctx.actor)
    const own = await billsOfPerson(ctx.rt.db, ctx.actor.person.id)
    if (offices.length === 0) return ownWords(ctx, own)
    const office = await officeWords(
      ctx,
      offices.map(each => each.id),
    )
    return own.length === 0 ? office : `${office}\n——\n${ownWords(ctx, own)}`
  },
}

function ownWords(ctx: KnownContext, own: readonly OwnBill[]): string {
  const page = `${ctx.rt.publicUrl}/pay`
  const waiting = own.filter(({ bill }) => bill.state === 'waiting')
  if (waiting.length > 0)
    return `${waiting.map(({ bill, unitName }) => `${unitName}给您发了${subsidyRules.wechat.remark} ${yuan(bill.fen)}，请在 ${subsidyRules.confirmHours.value} 小时内确认收款，过时会退回`).join('；')}。请在手机微信里打开：${page}`
  const [last] = own
  if (!last) return '还没有发给您的补贴。学校批准并提交后会告诉您；有疑问请问学校项目办。'
  const { bill } = last
  if (bill.state === 'paid') return `您的补贴 ${yuan(bill.fen)} 已经到账，可在微信零钱里查看。明细：${page}`
  if (bill.state === 'cancelled')
    return `学校撤销了您的补贴 ${yuan(bill.fen)}，不用再确认。有疑问请问学校项目办。明细：${page}`
  return isFinal(bill.state as BillState)
    ? `您的补贴 ${yuan(bill.fen)} ${failWordsForReceiver(bill.failReason)}。明细：${page}`
    : `您的补贴 ${yuan(bill.fen)} 正在办理，要您确认收款时会告诉您。明细：${page}`
}

/** What waits for the office, whose rights the page looks at again. */
async function officeWords(ctx: KnownContext, unitIds: number[]): Promise<string> {
  const runs = await runsToCheck(ctx.rt.db, unitIds)
  const page = `${ctx.rt.publicUrl}/console/subsidies`
  if (runs.length === 0) return `没有等待复核的补贴名单。制单、看付款情况请打开：${page}`
  return listReply(
    ctx,
    `有 ${runs.length} 份补贴名单等待复核：`,
    runs.map(
      ({ run, people, fen }) =>
        `· 名单 ${run.id}：${people} 人，共 ${yuan(fen)}${run.madeBy === ctx.actor.person.id ? '（您制的单，要另一位复核）' : ''} ${runAddress(ctx.rt, run.id)}`,
    ),
    '复核和批准在网页上办，聊天里不发钱。',
  )
}
