// Transfers of WeChat Pay, as their receiver and the console see them.
import { el, send, toast } from './dom.js'

const BILL_STATES = {
  ACCEPTED: '已受理',
  PROCESSING: '锁定资金中',
  WAIT_USER_CONFIRM: '待收款',
  TRANSFERING: '转账中',
  SUCCESS: '已收款',
  FAIL: '转账失败',
  CANCELING: '撤销中',
  CANCELLED: '已撤销',
}

/** A transfer to somebody, with the buttons of the page on which it is confirmed. */
export function billCard(bill, showName = false) {
  const waits = bill.state === 'WAIT_USER_CONFIRM' && bill.personId !== null
  const act = (action, done) => async () => {
    if (await send(action, { person: bill.personId, bill: bill.outBillNo })) toast(done)
  }
  return el(
    'div',
    { class: waits ? 'task waiting' : 'task' },
    el(
      'div',
      { class: 'task-head' },
      el('b', {}, `微信转账 ¥${(bill.amount / 100).toFixed(2)}`),
      el('span', {}, BILL_STATES[bill.state] ?? bill.state),
    ),
    el('p', { class: 'task-text' }, showName ? `${bill.personName}：${bill.remark}` : bill.remark),
    el('p', { class: 'hint' }, [bill.outBillNo, bill.failReason].filter(Boolean).join(' · ')),
    waits
      ? el(
          'div',
          { class: 'task-buttons' },
          el('button', { type: 'button', click: act('confirmBill', '已收款') }, '确认收款'),
          el(
            'button',
            { type: 'button', class: 'second', click: act('failBill', '已按失败处理') },
            '收款失败',
          ),
        )
      : null,
  )
}
