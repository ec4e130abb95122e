import { sql } from 'drizzle-orm'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Update, UpdateBase } from '../../../../server/channels/update.ts'
import type { DomainUpdate } from '../../../../server/domain/events/types.ts'
import { type Deed, openGround } from './ground.ts'

/** What the domain makes of an update of an account and of ids that nobody knows. */
interface Row {
  deed: Deed
  base?: Partial<UpdateBase>
  /** true: an event, nothing to answer; false: the bot answers. */
  handled: boolean
  /** The tables in which something changes. */
  changes?: string[]
}

const follower: Partial<UpdateBase> = { channel: 'official-account', address: 'o-nobody' }
const member: Partial<UpdateBase> = { channel: 'wecom', address: 'nobody' }
const robotUser: Partial<UpdateBase> = { channel: 'aibot', address: 'woNobody' }
const tap = { key: '帮助', responseCode: null, taskId: null, cardType: null, selected: [] }
const place = { latitude: '38.28', longitude: '109.73', detail: '16', label: '镇川镇' }
const picture = { mediaType: 'image', mediaId: 'm', url: null, text: '' }
const chat = { addresses: [], count: null, joinScene: null, quitScene: null, lastVersion: '', version: '' }
const customer = { userId: 'lin', customerId: 'wmNobody', state: null, welcomeCode: null, reason: null }
const contact = { id: 'nobody', newUserId: null, details: {} }
const mass = { messageId: '7', status: 'send success', total: 1, filtered: 1, sent: 1, failed: 0 }

/** Every kind: one that is added to `Update` is missed by the compiler here, and in `handleEvent`. */
const kinds: { [Kind in Update['kind']]: Row[] } = {
  text: [
    { deed: { kind: 'text', text: '帮助' }, base: follower, handled: false },
    { deed: { kind: 'text', text: '帮助', isPublic: true, chatId: 'c' }, base: robotUser, handled: false },
    // what the platform says never reaches the bot, whatever it looks like
    { deed: { kind: 'text', text: '帮助' }, base: { address: 'sys' }, handled: true },
  ],
  media: [{ deed: { kind: 'media', ...picture }, base: follower, handled: false }],
  place: [
    { deed: { kind: 'place', how: 'sent', ...place }, base: follower, handled: false },
    { deed: { kind: 'place', how: 'picked', ...place }, base: follower, handled: true },
    { deed: { kind: 'place', how: 'reported', ...place }, base: follower, handled: true },
  ],
  followed: [
    { deed: { kind: 'followed', scene: null, isScan: false }, base: follower, handled: false },
    { deed: { kind: 'followed', scene: 'g12', isScan: true }, base: follower, handled: false },
    { deed: { kind: 'followed', scene: null, isScan: false }, base: member, handled: false },
  ],
  unfollowed: [
    { deed: { kind: 'unfollowed' }, base: follower, handled: true },
    { deed: { kind: 'unfollowed' }, base: member, handled: true },
  ],
  entered: [
    { deed: { kind: 'entered' }, base: member, handled: false },
    { deed: { kind: 'entered' }, base: robotUser, handled: false },
  ],
  tapped: [{ deed: { kind: 'tapped', ...tap }, base: member, handled: false }],
  opened: [{ deed: { kind: 'opened', target: 'https://a.cn' }, base: follower, handled: true }],
  scanned: [
    { deed: { kind: 'scanned', key: 'k', scanType: 'qrcode', result: '1' }, base: member, handled: true },
  ],
  pictured: [{ deed: { kind: 'pictured', key: 'k', count: 2 }, base: follower, handled: true }],
  group: [
    {
      deed: { kind: 'group', change: 'joined', chatId: 'wrNobody', ...chat },
      handled: true,
      changes: ['chat_readings'],
    },
    { deed: { kind: 'group', change: 'dismissed', chatId: 'wrOther', ...chat }, handled: true },
  ],
  customer: (
    ['added', 'half_added', 'edited', 'removed_by_staff', 'removed_by_customer', 'archive_agreed'] as const
  )
    .map(change => ({ deed: { kind: 'customer' as const, change, ...customer }, handled: true }) as Row)
    .concat({
      deed: { kind: 'customer', change: 'transfer_failed', ...customer },
      handled: true,
      changes: ['alarms'],
    }),
  tag: [
    {
      deed: { kind: 'tag', change: 'created', tagId: 't', isGroup: false, strategyId: null },
      handled: true,
    },
  ],
  contact: (
    [
      'user_created',
      'user_updated',
      'user_deleted',
      'department_created',
      'department_updated',
      'department_deleted',
      'tag_updated',
      'other',
    ] as const
  )
    .map(change => ({ deed: { kind: 'contact' as const, change, ...contact }, handled: true }) as Row)
    .concat({
      deed: { kind: 'contact', change: 'user_updated', ...contact, newUserId: 'nobody2' },
      handled: true,
    }),
  job: [
    { deed: { kind: 'job', job: 'sync_user', jobId: 'j', errcode: '0', message: 'ok' }, handled: true },
    {
      deed: { kind: 'job', job: 'sync_user', jobId: 'j', errcode: '60011', message: 'no' },
      handled: true,
      changes: ['alarms'],
    },
  ],
  app_state: [
    {
      deed: { kind: 'app_state', state: 'closed_inactive', effectAt: null },
      handled: true,
      changes: ['alarms'],
    },
  ],
  corp_change: [{ deed: { kind: 'corp_change', event: 'change_chain' }, handled: true, changes: ['alarms'] }],
  template_result: (['delivered', 'blocked', 'failed'] as const).map(result => ({
    deed: { kind: 'template_result', messageId: '4561255354251345929', result, reason: '' },
    base: follower,
    handled: true,
  })),
  mass_result: [{ deed: { kind: 'mass_result', isSent: true, ...mass }, base: follower, handled: true }],
  publish_result: [
    {
      deed: { kind: 'publish_result', publishId: '1', status: '0', articleId: null },
      base: follower,
      handled: true,
    },
  ],
  subscription: [
    { deed: { kind: 'subscription', event: 'popup', items: [] }, base: follower, handled: true },
  ],
  authorization_revoked: [
    {
      deed: { kind: 'authorization_revoked', openId: 'o-nobody', revoked: ['205'], isClosed: false },
      base: { channel: 'official-account', address: 'o-platform' },
      handled: true,
      changes: ['audit_log'],
    },
  ],
  feedback: [
    {
      deed: { kind: 'feedback', feedbackId: 'f', rating: '3', reasons: ['1'], text: '不对' },
      base: robotUser,
      handled: true,
    },
  ],
  unknown: [{ deed: { kind: 'unknown', name: 'event:new', body: '<xml/>' }, base: follower, handled: true }],
}

const tables = [
  'alarms',
  'attempts',
  'audit_log',
  'chat_readings',
  'conversations',
  'group_members',
  'groups',
  'identities',
  'outgoing_messages',
  'persons',
  'tasks',
  'unclaimed_chats',
]

describe('what becomes of an update of each kind, where nobody is known', () => {
  const rows = Object.entries(kinds).flatMap(([kind, all]) =>
    all.map((row, at) => ({ label: all.length > 1 ? `${kind} ${at + 1}` : kind, ...row })),
  )

  test('is as the table says, once or twice', async () => {
    const ground = await openGround()
    const contents = async () => {
      const found: Record<string, string> = {}
      for (const table of tables)
        found[table] = JSON.stringify(
          await ground.rt.db.execute(sql.raw(`select * from ${table} order by 1`)),
        )
      return found
    }
    const seen: Record<string, unknown> = {}
    let before = await contents()
    for (const { label, base = {}, deed } of rows) {
      const handled = await ground.happens(base, deed)
      expect(await ground.happens(base, deed), label).toBe(handled)
      const after = await contents()
      seen[label] = { handled, changes: tables.filter(table => before[table] !== after[table]) }
      before = after
    }
    expect(seen).toEqual(
      Object.fromEntries(rows.map(({ label, handled, changes = [] }) => [label, { handled, changes }])),
    )
  })

  test('the domain asks for nothing that the channels do not give', () => {
    expectTypeOf<Update>().toExtend<DomainUpdate>()
    expectTypeOf<DomainUpdate['kind']>().toEqualTypeOf<Update['kind']>()
  })
})
