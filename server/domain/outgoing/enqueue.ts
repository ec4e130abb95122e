import { insertOutgoing } from '../../../db/queries/notices.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** Why a message goes out; shown to operators and used to bundle. */
export type Purpose =
  | 'reply'
  | 'relay'
  | 'reminder'
  | 'escalation'
  | 'task'
  | 'review'
  | 'decision'
  | 'notice'
  | 'pass'
  | 'report'

/**
 * Puts a message to a person on its way, in the caller's transaction. Which of their accounts it reaches is decided
 * when it is sent.
 * @param texts sent one after the other as messages of their own
 */
export async function sendToPerson(
  rt: DomainRuntime,
  personId: number,
  purpose: Purpose,
  ...texts: string[]
): Promise<number> {
  return send(rt, { kind: 'person', personId, purpose, texts })
}

/** Puts a message to one account on its way: the answer to somebody who may not be bound to a person. */
export async function sendToIdentity(
  rt: DomainRuntime,
  identityId: number,
  purpose: Purpose,
  ...texts: string[]
): Promise<number> {
  return send(rt, { kind: 'person', identityId, purpose, texts })
}

/** Asks for something that only a platform can do, such as making a group or a person's own way into it. */
export async function askPlatform(
  rt: DomainRuntime,
  request: { kind: 'join_pass' | 'create_appchat'; groupId: number; personId: number; identityId?: number },
): Promise<number> {
  return send(rt, { ...request, purpose: 'pass', texts: [] })
}

async function send(
  rt: DomainRuntime,
  message: {
    kind: string
    personId?: number
    identityId?: number
    groupId?: number
    purpose: Purpose
    texts: string[]
  },
): Promise<number> {
  const now = rt.clock.now()
  const { texts, ...row } = message
  const [id] = await insertOutgoing(rt.db, [
    {
      ...row,
      textsSealed: rt.vault.seal(JSON.stringify(texts)),
      status: 'pending',
      nextAttemptAt: now,
      createdAt: now,
    },
  ])
  return id as number
}
