import { tokensEnding } from '../../../db/queries/api-tokens.ts'
import { countAttempt } from '../../../db/queries/identities.ts'
import { chineseMoment } from '../../clock.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import { sendToPerson } from '../outgoing/enqueue.ts'

/** How long before its end a token's maker is told (project assumption). */
const DAYS_BEFORE = 14
const DAY_MS = 86_400_000

/** Tells the makers of tokens that end soon, once a token, so that what uses them does not stop unawares. */
export async function remindOfTokens(rt: DomainRuntime): Promise<void> {
  const now = rt.clock.now()
  const until = new Date(now.getTime() + DAYS_BEFORE * DAY_MS)
  for (const { id, name, unitName, createdBy, expiresAt } of await tokensEnding(rt.db, now, until))
    await inTransaction(rt, async tx => {
      // kept until the token is over, so that the next night says nothing
      const told = await countAttempt(tx.db, `token-end:${id}`, now, (DAYS_BEFORE + 1) * DAY_MS)
      if (told > 1) return
      await sendToPerson(
        tx,
        createdBy,
        'task',
        `【接口令牌快到期】${unitName}的“${name}”${chineseMoment(expiresAt)}到期，到期后用它的系统就连不上。还要用请在网页“接口令牌”里另建一个换上；不用了请停用。`,
      )
    })
}
