import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { loadSender } from '../../../../db/queries/senders.ts'
import {
  alarms,
  auditLog,
  groups,
  identities,
  outgoingMessages,
  persons,
  units,
} from '../../../../db/schema/index.ts'
import type { Update, UpdateBase } from '../../../../server/channels/update.ts'
import { type MovableClock, movableClock } from '../../../../server/clock.ts'
import { handleEvent } from '../../../../server/domain/events/handle-event.ts'
import { nameKey, soundKey } from '../../../../server/domain/names/name-key.ts'
import { type DomainRuntime, inTransaction } from '../../../../server/runtime.ts'
import { randomDataKey } from '../../../../server/start.ts'
import { loadTemplates } from '../../../../server/templates.ts'
import { createVault } from '../../../../server/vault.ts'
import { openDatabase } from '../../../support/database.ts'

/** What tells an update from others of its kind, without what all have. */
export type Deed = Update extends infer Each
  ? Each extends Update
    ? Omit<Each, keyof UpdateBase>
    : never
  : never

export type Account = typeof identities.$inferInsert

/** The domain on a database of its own: one county and a clock, and neither platforms nor bot. */
export interface Ground {
  rt: DomainRuntime
  clock: MovableClock
  logged: Record<string, unknown>[]
  unitId: number
  /** Lets something happen, now or at `base.at`; as the server does it, in one transaction. */
  happens(base: Partial<UpdateBase>, deed: Deed): Promise<boolean>
  aPerson(name: string): Promise<number>
  anAccount(account: Partial<Account> & { channel: string; address: string }): Promise<number>
  aGroup(group?: Partial<typeof groups.$inferInsert>): Promise<number>
  /** A message on its way to somebody. */
  aMessage(message: Partial<typeof outgoingMessages.$inferInsert>): Promise<number>
  /** Somebody writes to the bot, which notes that they were seen. */
  writes(channel: string, address: string): Promise<void>
  account(id: number): Promise<typeof identities.$inferSelect | undefined>
  message(id: number): Promise<typeof outgoingMessages.$inferSelect | undefined>
  audited(): Promise<{ action: string; subjectKind: string; subjectId: number | null; details: unknown }[]>
  alarmed(): Promise<{ cause: string; words: string; times: number; closedAt: Date | null }[]>
}

/** A ground for one test, closed with it. */
export async function openGround(): Promise<Ground> {
  const { db } = await openDatabase()
  const clock = movableClock(new Date('2026-09-07T09:00:00+08:00'))
  const logged: Record<string, unknown>[] = []
  const rt: DomainRuntime = {
    db,
    vault: createVault(randomDataKey()),
    templates: loadTemplates(),
    clock,
    log: pino({ level: 'trace' }, { write: line => void logged.push(JSON.parse(line)) }),
    publicUrl: 'https://qunzhen.example.cn',
  }
  const [unit] = await db
    .insert(units)
    .values({
      programme: 'qingnong',
      code: '610802',
      name: '榆阳区',
      kind: 'county-committee',
      level: 'county',
      path: '/1/',
      createdAt: clock.now(),
    })
    .returning({ id: units.id })
  const unitId = unit?.id as number
  let serial = 0
  onTestFinished(() => rt.log.flush())
  return {
    rt,
    clock,
    logged,
    unitId,
    happens(base, deed) {
      const channel = base.channel ?? 'wecom'
      const update = {
        channel,
        addressSpace: channel,
        dedupeKey: `test:${++serial}`,
        address: 'sys',
        recipient: '',
        at: clock.now(),
        ...base,
        ...deed,
      } as Update
      return inTransaction(rt, tx => handleEvent(tx, update))
    },
    async aPerson(name) {
      const row = { name, nameKey: nameKey(name), soundKey: soundKey(name), createdAt: clock.now() }
      const [made] = await db.insert(persons).values(row).returning({ id: persons.id })
      return made?.id as number
    },
    async anAccount(account) {
      const now = clock.now()
      const bound = account.personId ? { boundAt: now, boundBy: 'code' } : {}
      const [made] = await db
        .insert(identities)
        .values({ createdAt: now, lastSeenAt: now, ...bound, ...account })
        .returning({ id: identities.id })
      return made?.id as number
    },
    async aGroup(group) {
      const [made] = await db
        .insert(groups)
        .values({
          programme: 'qingnong',
          kind: 'county-cadres',
          unitId,
          name: '青农榆阳',
          platform: 'customer',
          chatId: 'wrA',
          capacity: 500,
          size: 3,
          createdAt: clock.now(),
          ...group,
        })
        .returning({ id: groups.id })
      return made?.id as number
    },
    async aMessage(message) {
      const now = clock.now()
      const [made] = await db
        .insert(outgoingMessages)
        .values({
          kind: 'person',
          purpose: 'task',
          textsSealed: rt.vault.seal('["有一件事"]'),
          status: 'waiting',
          nextAttemptAt: now,
          createdAt: now,
          ...message,
        })
        .returning({ id: outgoingMessages.id })
      return made?.id as number
    },
    async writes(channel, address) {
      await loadSender(db, { channel, address }, clock.now())
    },
    async account(id) {
      const [row] = await db.select().from(identities).where(eq(identities.id, id))
      return row
    },
    async message(id) {
      const [row] = await db.select().from(outgoingMessages).where(eq(outgoingMessages.id, id))
      return row
    },
    audited: () =>
      db
        .select({
          action: auditLog.action,
          subjectKind: auditLog.subjectKind,
          subjectId: auditLog.subjectId,
          details: auditLog.details,
        })
        .from(auditLog)
        .orderBy(auditLog.id),
    alarmed: () =>
      db
        .select({
          cause: alarms.cause,
          words: alarms.words,
          times: alarms.times,
          closedAt: alarms.closedAt,
        })
        .from(alarms)
        .orderBy(alarms.id),
  }
}
