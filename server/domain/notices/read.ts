import { noteAcknowledged, noteOpened } from '../../../db/queries/notice-readings.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { KnownActor } from '../actor.ts'

/** Notes that somebody has a notice before their eyes; the first time counts. */
export function openNotice(rt: DomainRuntime, actor: KnownActor, noticeId: number): Promise<void> {
  return noteOpened(rt.db, noticeId, actor.person.id, rt.clock.now())
}

/** Somebody says that they have read a notice (我已阅读). Said twice it counts once. false: they had said so. */
export function acknowledgeReading(rt: DomainRuntime, actor: KnownActor, noticeId: number): Promise<boolean> {
  return noteAcknowledged(rt.db, noticeId, actor.person.id, rt.clock.now())
}
