import {
  bindIdentity,
  forgetAccount,
  type IdentityRow,
  registeredPerson,
  rememberAccount,
} from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'

type Account = Pick<IdentityRow, 'id' | 'channel' | 'address'>

/**
 * The keyed indexes of a platform account, the one to be stored first: it is kept with the person where a roster row has
 * that of the WeChat id. No WeChat id holds a colon, so the two never meet.
 */
function accountIndexes(rt: DomainRuntime, { channel, address }: Account): string[] {
  return rt.vault.indexes('wechat', `${channel}:${address}`)
}

/**
 * Remembers that an account which is about to be unbound had registered itself in an open group, so that coming back
 * does not count the same person twice (榆林团市委 2014 附件3 counts people). What is kept is not the account: without our
 * key nobody can tell whose it was, and with it only the same account, when it comes again, leads back to the person.
 */
export async function rememberRegistration(
  rt: DomainRuntime,
  account: Account & Pick<IdentityRow, 'personId'>,
): Promise<void> {
  const [accountIndex = ''] = accountIndexes(rt, account)
  if (account.personId !== null) await rememberAccount(rt.db, account.personId, accountIndex)
}

/**
 * Binds an account that has come back to the registration it once made, as registering did: without any rights. A person
 * who has an office or a group by now is not given away to an account that nobody vouched for; they need a code.
 * @returns the person; null when there is no such registration
 */
export async function recallRegistration(rt: DomainRuntime, account: Account): Promise<number | null> {
  const personId = await registeredPerson(rt.db, account.channel, accountIndexes(rt, account))
  if (personId === null) return null
  const now = rt.clock.now()
  await bindIdentity(rt.db, account.id, personId, 'registration', now)
  await forgetAccount(rt.db, personId)
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'identity.bound',
    subjectKind: 'person',
    subjectId: personId,
    details: { channel: account.channel, by: 'registration' },
  })
  return personId
}
