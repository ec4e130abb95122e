import { appendAudit } from '../../../db/queries/platform.ts'
import type { RecordFileRow } from '../../../db/queries/record-files.ts'
import { type DomainRuntime, inTransaction } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/** Opens a picture for somebody who may see it, and notes that they did: a picture of a chat shows people. */
export async function openRecordFile(
  rt: DomainRuntime,
  actor: KnownActor,
  file: RecordFileRow,
): Promise<{ mime: string; bytes: Buffer }> {
  await inTransaction(rt, tx =>
    appendAudit(tx.db, {
      at: tx.clock.now(),
      actorId: actor.person.id,
      action: 'record_file.viewed',
      subjectKind: 'record_file',
      subjectId: file.id,
      details: { kind: file.kind },
    }),
  )
  return { mime: file.mime, bytes: Buffer.from(rt.vault.open(file.bytesSealed), 'base64') }
}
