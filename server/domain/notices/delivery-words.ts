import type { ReceiptShown } from '../../../db/queries/notice-progress.ts'

/** What a delivery has come to, for people. */
export const deliveryWords: Record<string, string> = {
  pending: '等待发出',
  sent: '已交群主',
  posted: '已到群',
  failed: '无法送达',
  unknown: '不确定，请到群里看一眼',
  withdrawn: '已撤回，没有发出',
}

/** What a receipt says: 收到 or 到群. */
export const receiptKinds: Record<string, string> = {
  received: '群主收到',
  posted: '到群',
  relayed: '到群',
}

/** What proves a receipt, for people: the platform's result, a confirmed mass task, or whose word it is. */
export function proofWords({ kind, by, isOwner, proof }: Omit<ReceiptShown, 'at'>): string {
  const who = by === null ? '' : `${isOwner ? '群主' : '受托的'}${by}`
  if (typeof proof.massTask === 'string') return `${who}确认了群发（任务 ${proof.massTask}）`
  if (proof.saidBy === 'administrator') return `系统管理员${by ?? ''}到群里看过`
  if (kind === 'posted') {
    const channel = proof.channel === 'appchat' ? '应用群' : '群机器人'
    return `平台回执：${channel}发送成功${typeof proof.platformId === 'string' && proof.platformId !== '' ? `（${proof.platformId}）` : ''}`
  }
  if (kind === 'received') return `${who}说收到`
  return `${who}${isOwner ? '说已转发' : '说代转好了'}`
}
