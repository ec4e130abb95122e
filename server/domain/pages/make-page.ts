import { randomBytes } from 'node:crypto'
import { insertResultPage } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'

/** How long a link that the bot hands out works. */
const LINK_HOURS = 72

interface PageOwner {
  personId: number | null
}

/** Keeps a long result and returns the link to it. Whoever has the link can read it, so it ends after three days. */
export async function makePage(
  rt: DomainRuntime,
  owner: PageOwner,
  title: string,
  text: string,
): Promise<string> {
  return keep(rt, owner, { title, textSealed: rt.vault.seal(text) })
}

/** Keeps a file for download and returns the link to it. */
export async function makeFile(
  rt: DomainRuntime,
  owner: PageOwner,
  fileName: string,
  file: Buffer,
): Promise<string> {
  return keep(rt, owner, { title: fileName, fileName, textSealed: rt.vault.seal(file.toString('base64')) })
}

async function keep(
  rt: DomainRuntime,
  { personId }: PageOwner,
  content: { title: string; textSealed: string; fileName?: string },
): Promise<string> {
  const token = randomBytes(18).toString('base64url')
  const now = rt.clock.now()
  await insertResultPage(rt.db, {
    tokenIndex: rt.vault.index('page-token', token),
    personId,
    ...content,
    createdAt: now,
    expiresAt: new Date(now.getTime() + LINK_HOURS * 3600_000),
  })
  return `${rt.publicUrl}/pages/${token}`
}
