import { createHash } from 'node:crypto'
import { answeredCall, insertCall, keepAnswer } from '../../../db/queries/api.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'

/**
 * Does something once for each key of a token: asked again with the same key, and for the same thing, it gives the same
 * answer and does nothing. What failed left nothing behind and is tried again. Keys are remembered as long as updates
 * are kept.
 * @param asked what is asked for, to tell a repetition from another request that reuses the key
 * @throws DomainError `idempotency_key.reused`, and whatever `work` throws
 */
export async function answerOnce<Answer>(
  rt: DomainRuntime,
  call: { tokenId: number; key: string; kind: string; asked: unknown },
  work: (rt: DomainRuntime) => Promise<Answer>,
): Promise<{ answer: Answer; isRepeated: boolean }> {
  const dedupeKey = createHash('sha256').update(`${call.tokenId}\0${call.kind}\0${call.key}`).digest('hex')
  const asked = JSON.stringify(call.asked)
  return inTransaction(rt, async tx => {
    const id = await insertCall(tx.db, {
      dedupeKey,
      kind: call.kind,
      payloadSealed: tx.vault.seal(asked),
      at: tx.clock.now(),
    })
    if (id !== null) {
      const answer = await work(tx)
      await keepAnswer(tx.db, id, tx.vault.seal(JSON.stringify(answer)))
      return { answer, isRepeated: false }
    }
    const before = await answeredCall(tx.db, dedupeKey)
    if (!before?.replySealed || tx.vault.open(before.payloadSealed) !== asked)
      throw new DomainError(
        'idempotency_key.reused',
        '这个 Idempotency-Key 已经用于另一个内容不同的请求，请换一个再发。',
      )
    return { answer: JSON.parse(tx.vault.open(before.replySealed)) as Answer, isRepeated: true }
  })
}
