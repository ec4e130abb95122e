import { randomBytes } from 'node:crypto'
import { identitiesOf, identityById, releaseUnvouched } from '../../../db/queries/identities.ts'
import { appendAudit } from '../../../db/queries/platform.ts'
import {
  insertAdministrator,
  insertSession,
  insertSignInLink,
  noteSessionSeen,
  type SessionOwner,
  sessionOwner,
  useSignInLink,
} from '../../../db/queries/sessions.ts'
import { DomainError } from '../../errors.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'

/** How long a session lasts without being used. */
const SESSION_DAYS = 7
/** How long a link in the chat signs in. */
const LINK_MINUTES = 10
/** A session's row is brought up to date no more often than this. */
const SEEN_EVERY_MS = 60_000
const DAY_MS = 86_400_000

export type SignInWay = 'wecom' | 'scan' | 'official-account' | 'link' | 'demo'

export interface NewSession {
  /** For the cookie: 256 random bits. */
  token: string
  expiresAt: Date
}

/** Signs a person in on one browser. @param identityId the account they came with; null for a script's link */
export async function startSession(
  rt: DomainRuntime,
  who: { personId: number; identityId: number | null },
  how: { way: SignInWay; device: string },
): Promise<NewSession> {
  const token = randomBytes(32).toString('base64url')
  const now = rt.clock.now()
  const expiresAt = new Date(now.getTime() + SESSION_DAYS * DAY_MS)
  const sessionId = await insertSession(rt.db, {
    tokenIndex: rt.vault.index('session', token),
    personId: who.personId,
    identityId: who.identityId,
    signedInBy: how.way,
    device: how.device.slice(0, 120),
    createdAt: now,
    lastSeenAt: now,
    expiresAt,
  })
  await appendAudit(rt.db, {
    at: now,
    actorId: who.personId,
    action: 'session.started',
    subjectKind: 'person',
    subjectId: who.personId,
    details: { sessionId, way: how.way },
  })
  return { token, expiresAt }
}

/** Who a cookie stands for; null for one that is unknown, over or ended. A session in use lasts on. */
export async function readSession(rt: DomainRuntime, token: string): Promise<SessionOwner | null> {
  const now = rt.clock.now()
  const tokenIndexes = rt.vault.indexes('session', token)
  const owner = await sessionOwner(rt.db, tokenIndexes, now)
  // of another key: the token is here only now, so now is the time to index it anew
  const isOld = owner !== null && owner.tokenIndex !== tokenIndexes[0]
  if (owner && (isOld || now.getTime() - owner.lastSeenAt.getTime() > SEEN_EVERY_MS))
    await noteSessionSeen(rt.db, owner.sessionId, {
      tokenIndex: rt.vault.index('session', token),
      lastSeenAt: now,
      expiresAt: new Date(now.getTime() + SESSION_DAYS * DAY_MS),
    })
  return owner
}

/** Makes the link that signs a person in once. @param path where it leads, a path of ours */
export async function makeSignInLink(
  rt: DomainRuntime,
  who: { personId: number; identityId: number | null },
  path: string,
  minutes = LINK_MINUTES,
): Promise<string> {
  const token = randomBytes(24).toString('base64url')
  const now = rt.clock.now()
  await insertSignInLink(rt.db, {
    tokenIndex: rt.vault.index('sign-in-link', token),
    ...who,
    path,
    createdAt: now,
    expiresAt: new Date(now.getTime() + minutes * 60_000),
  })
  return `${rt.publicUrl}/sign-in/link/${token}`
}

/**
 * Uses a sign-in link up.
 * @throws DomainError `sign_in.link` for one that is unknown, used, over, or of an account that was let go meanwhile
 */
export async function signInByLink(
  rt: DomainRuntime,
  token: string,
  device: string,
): Promise<NewSession & { path: string }> {
  return inTransaction(rt, async tx => {
    const link = await useSignInLink(tx.db, tx.vault.indexes('sign-in-link', token), tx.clock.now())
    const identity = link?.identityId ? await identityById(tx.db, link.identityId) : null
    if (!link || (link.identityId !== null && identity?.personId !== link.personId))
      throw new DomainError('sign_in.link', '这个登录链接已经用过或过期。请在聊天里再发一次“网页”。')
    const session = await startSession(
      tx,
      { personId: link.personId, identityId: link.identityId },
      { way: 'link', device },
    )
    return { ...session, path: link.path }
  })
}

/** Signs in as anybody, for the demo. The caller makes sure that it is one. */
export async function signInForDemo(
  rt: DomainRuntime,
  personId: number,
  device: string,
): Promise<NewSession> {
  const [identity] = await identitiesOf(rt.db, personId)
  return startSession(rt, { personId, identityId: identity?.id ?? null }, { way: 'demo', device })
}

/** How long the link lasts with which an administrator comes in first. */
const ADMINISTRATOR_LINK_HOURS = 24

/** Makes somebody an administrator and the link with which they come in first. */
export async function makeAdministrator(rt: DomainRuntime, personId: number): Promise<string> {
  const now = rt.clock.now()
  await insertAdministrator(rt.db, personId, now)
  // an account that was believed by name and phone lets go: from now on it would open the server
  await releaseUnvouched(rt.db, [personId])
  await appendAudit(rt.db, {
    at: now,
    actorId: null,
    action: 'administrator.made',
    subjectKind: 'person',
    subjectId: personId,
    details: {},
  })
  return makeSignInLink(rt, { personId, identityId: null }, '/console/server', ADMINISTRATOR_LINK_HOURS * 60)
}
