import { beginMorning, type OfficePayments, paymentsToLookAt } from '../../../db/queries/subsidies.ts'
import { addDays, dayOf, shanghaiMoment } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { noticeRules } from '../notices/rules.ts'
import { afterQuiet } from '../notices/timing.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'
import { officersOf } from './officers.ts'
import { yuan } from './rules.ts'

/**
 * Tells each university's office once in a morning how many payments wait for their receivers, were refused, or came to
 * nothing yesterday; one message for all of it, none when there is nothing to say.
 * @returns how many persons were told
 */
export async function tellOffices(rt: DomainRuntime): Promise<number> {
  const now = rt.clock.now()
  const day = dayOf(now)
  const offices = await paymentsToLookAt(rt.db, shanghaiMoment(addDays(day, -1)), shanghaiMoment(day))
  let told = 0
  for (const office of offices)
    told += await inTransaction(rt, async tx => {
      if (!(await beginMorning(tx.db, office.unitId, day))) return 0
      const text = wordsFor(office, `${tx.publicUrl}/console/subsidies?unit=${office.unitId}`)
      const officers = await officersOf(tx, office.unitId)
      const messages = officers.map(personId => ({ personId, text }))
      await sendToPersons(tx, messages, 'report', afterQuiet(noticeRules.quiet, now))
      return officers.length
    })
  return told
}

function wordsFor(office: OfficePayments, address: string): string {
  const { waiting, held, stuck, hanging, freed, freedFen } = office
  const lines = [
    ...(waiting > 0 ? [`· ${waiting} 笔等本人确认收款，24 小时内不确认会退回`] : []),
    ...(held > 0 ? [`· ${held} 笔被微信支付拒绝，请看原因，原样重新提交或放弃`] : []),
    ...(stuck > 0 ? [`· ${stuck} 笔提交不出去（权限、场景或网络），处理后会自动再提交`] : []),
    ...(hanging > 0
      ? [`· ${hanging} 笔在微信支付那边从昨天起没有动，多半是商户余额不足，请充值，之后会自动再提交`]
      : []),
    ...(freed > 0 ? [`· ${freed} 笔昨天没有付成，共 ${yuan(freedFen)}，已退回预算，可重新制单`] : []),
  ]
  return ['【补贴】今天要留意的付款：', ...lines, address].join('\n')
}
