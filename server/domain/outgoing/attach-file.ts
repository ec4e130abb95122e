import { resultPageByToken } from '../../../db/queries/platform.ts'
import type { DomainRuntime } from '../../runtime.ts'
import { makeFile } from '../pages/make-page.ts'

/** A file that goes out with a message: as itself where the platform can, as a link elsewhere. */
export interface Attachment {
  /** The page that keeps it. */
  pageId: number
  name: string
  /** Works as long as the page is kept. */
  link: string
}

/** Keeps a file so that it can be sent. @param personId whose it is; null: nobody's in particular */
export async function attachFile(
  rt: DomainRuntime,
  personId: number | null,
  name: string,
  bytes: Buffer,
): Promise<Attachment> {
  const link = await makeFile(rt, { personId }, name, bytes)
  const token = link.slice(link.lastIndexOf('/') + 1)
  const page = await resultPageByToken(rt.db, rt.vault.indexes('page-token', token), rt.clock.now())
  return { pageId: page?.id as number, name, link }
}
