import { boundMembers, countAttempt } from '../../db/queries/identities.ts'
import { ChannelError } from '../channels/errors.ts'
import { noteContactChange } from '../domain/events/contacts.ts'
import { takePlace } from '../limits.ts'
import { inTransaction, type Runtime } from '../runtime.ts'

const LIST = '/cgi-bin/user/list_id'
const READ = '/cgi-bin/user/get'
/** UserID 不存在. @see https://developer.work.weixin.qq.com/document/path/90313 */
const UNKNOWN_MEMBER = 60111
/** The nights in a row on which somebody must be missing. */
const NIGHTS = 2
/** Holds the next night and not the one after it. */
const WITHIN_MS = 36 * 3600_000

/**
 * Holds the accounts that are bound against the corp's address book, because `delete_user` gets lost like any event, and
 * whoever is given the userid next would have the rights of the one who left. Run once a night.
 *
 * The list shows what the app may see, so that missing there is only the occasion to ask for the member: who is merely
 * out of the app's range keeps the binding.
 * @returns how many accounts were taken for gone
 * @throws ChannelError or MustWait when the address book cannot be read; nothing is concluded then
 */
export async function checkMembers(rt: Runtime): Promise<number> {
  const { wecom } = rt.channels
  if (!wecom) return 0
  await takePlace(rt, { to: 'wecom-api', path: LIST })
  // userids are compared without regard to case, as the platform does
  const listed = new Set((await wecom.directory.listMembers()).map(({ userId }) => userId.toLowerCase()))
  let count = 0
  for (const { id, address } of await boundMembers(rt.db)) {
    if (listed.has(address.toLowerCase())) continue
    const now = rt.clock.now()
    await takePlace(rt, { to: 'wecom-api', path: READ })
    if (!(await isUnknown(() => wecom.directory.readMember(address)))) continue
    if ((await countAttempt(rt.db, `missing:${id}`, now, WITHIN_MS)) < NIGHTS) continue
    await inTransaction(rt, tx =>
      noteContactChange(tx, { change: 'user_deleted', id: address, newUserId: null, at: now }),
    )
    rt.log.warn({ identityId: id }, 'a member is not in the address book any more: unbound')
    count++
  }
  return count
}

/** Whether the platform says that there is no such member and not only that we may not read them. */
async function isUnknown(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read()
    return false
  } catch (error) {
    if (!(error instanceof ChannelError) || error.retryable) throw error
    return error.platformCode === UNKNOWN_MEMBER
  }
}
