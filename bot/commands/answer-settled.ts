import type { Settled } from '../../server/domain/notices/settle.ts'
import { DomainError } from '../../server/errors.ts'
import type { KnownContext } from '../context.ts'

/**
 * Answers 转 and 收. In a group, where everybody reads the answer, it names no notice and no group: neither what was
 * settled nor why it could not be.
 * @throws DomainError as `settling`; in a group with words that tell nothing
 */
export async function answerSettled(
  ctx: KnownContext,
  settling: Promise<Settled>,
  words: (settled: Settled) => string,
): Promise<string> {
  if (!('isPublic' in ctx.update && ctx.update.isPublic)) return words(await settling)
  try {
    await settling
  } catch (error) {
    if (error instanceof DomainError) throw new DomainError(error.code, '请在与我的单聊里回复。')
    throw error
  }
  return '收到，已登记。还有什么要办，请在与我的单聊里发送“任务”。'
}
