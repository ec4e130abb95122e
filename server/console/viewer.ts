import type { SessionOwner } from '../../db/queries/sessions.ts'
import type { Viewer } from '../domain/access/policy.ts'

/**
 * The viewer of a session. The account they came with tells how much is known of them; an administrator's link and the
 * demo have none, and vouch for the person as a code would.
 */
export function viewerOf(owner: SessionOwner): Viewer {
  return {
    sessionId: owner.sessionId,
    // an account that was only believed by name and phone gives no hold of the server
    isAdministrator: owner.isAdministrator && (owner.identityId === null || owner.boundBy === 'code'),
    actor: {
      identityId: owner.identityId ?? 0,
      channel: owner.channel ?? 'console',
      address: owner.address ?? '',
      person: { id: owner.personId, name: owner.personName },
      roles: owner.roles,
      ownsGroups: owner.ownsGroups,
      boundBy: owner.boundBy ?? 'code',
    },
  }
}
