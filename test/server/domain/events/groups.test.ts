import { describe, expect, test } from 'vitest'
import { groupByChat, upsertUnclaimedChat } from '../../../../db/queries/groups.ts'
import { chatReadings, unclaimedChats } from '../../../../db/schema/index.ts'
import { applyReading } from '../../../../server/domain/groups/apply-reading.ts'
import { type Deed, type Ground, openGround } from './ground.ts'

type GroupDeed = Extract<Deed, { kind: 'group' }>

/** How many seconds from now a chat is read; null: not at all. */
async function readingIn(ground: Ground, chatId = 'wrA'): Promise<number | null> {
  const rows = await ground.rt.db.select().from(chatReadings)
  const row = rows.find(each => each.chatId === chatId)
  return row ? (row.dueAt.getTime() - ground.clock.now().getTime()) / 1000 : null
}

const event = (change: GroupDeed['change'], versions = '', chatId = 'wrA'): GroupDeed => {
  const [lastVersion = '', version = ''] = versions.split('→')
  return {
    kind: 'group',
    change,
    chatId,
    addresses: [],
    count: 1,
    joinScene: null,
    quitScene: null,
    lastVersion,
    version,
  }
}
const missed = (ground: Ground) => ground.logged.filter(line => String(line.msg).includes('was lost'))
const readAs = (ground: Ground, version: string) =>
  applyReading(ground.rt, 'wrA', { name: '青农榆阳', owner: 'lin', version, members: [] }).then(() =>
    ground.rt.db.delete(chatReadings),
  )

/** Stored is version B of the member list. */
describe('an event of a group whose member list was read at version B', () => {
  test.each<[what: string, event: GroupDeed, agoSeconds: number, reading: number | null, lost: number]>([
    ['the next change', event('joined', 'B→C'), 0, 3, 0],
    ['the next change, a second ago', event('left', 'B→C'), 1, 2, 0],
    ['the next change, late', event('joined', 'B→C'), 600, 0, 0],
    ['the change we know', event('joined', 'A→B'), 0, null, 0],
    ['the change we know, late', event('left', 'A→B'), 600, null, 0],
    ['one that follows on a change we never heard of', event('joined', 'C→D'), 0, 3, 1],
    ['the same, late', event('joined', 'C→D'), 600, 0, 1],
    ['a change without versions', event('joined'), 0, 3, 0],
    ['another owner, who leaves the version as it is', event('owner_changed', 'B→B'), 0, 3, 0],
    ['another name', event('renamed'), 0, 3, 0],
    ['a time that is not yet', event('joined', 'B→C'), -600, 3, 0],
  ])('%s', async (_what, deed, agoSeconds, reading, lost) => {
    const ground = await openGround()
    await ground.aGroup({ memberVersion: 'B' })
    const at = new Date(ground.clock.now().getTime() - agoSeconds * 1000)
    for (let time = 0; time < 2; time++) {
      expect(await ground.happens({ at }, deed)).toBe(true)
      expect(await readingIn(ground)).toBe(reading)
    }
    // the second time a reading is due, which will tell
    expect(missed(ground)).toHaveLength(lost)
  })

  test('a lost event is told to operators by the chat’s id, without names', async () => {
    const ground = await openGround()
    await ground.aGroup({ memberVersion: 'B' })
    await ground.happens({}, event('joined', 'C→D'))
    expect(missed(ground)).toMatchObject([{ level: 30, chatId: 'wrA' }])
    expect(JSON.stringify(ground.logged)).not.toContain('青农榆阳')
  })

  test('several in a row, in any order, are no loss, and end in the newest state', async () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 1, 2, 0, 2],
    ]) {
      const ground = await openGround()
      await ground.aGroup({ memberVersion: 'B' })
      const events = ['B→C', 'C→D', 'D→E'].map(versions => event('joined', versions))
      await ground.happens({}, events[order[0] as number] as GroupDeed)
      const lostAtFirst = missed(ground).length
      for (const number of order.slice(1)) await ground.happens({}, events[number] as GroupDeed)
      expect(missed(ground).length).toBe(lostAtFirst)
      expect(await readingIn(ground)).toBe(3)
      await readAs(ground, 'E')
      expect(await groupByChat(ground.rt.db, 'wrA')).toMatchObject({ memberVersion: 'E' })
      await ground.happens({}, events[2] as GroupDeed)
      expect(await readingIn(ground)).toBeNull()
    }
  })

  test('an event of the state that is being read now asks for nothing; one behind it does', async () => {
    const ground = await openGround()
    await ground.aGroup({ memberVersion: 'B' })
    await readAs(ground, 'C')
    await ground.happens({}, event('joined', 'B→C'))
    expect(await readingIn(ground)).toBeNull()
    await ground.happens({}, event('left', 'C→D'))
    expect(await readingIn(ground)).toBe(3)
  })
})

describe('an event of a group', () => {
  test.each([
    ['that nobody has registered', undefined, event('joined', 'A→B')],
    ['that was never read', { memberVersion: null }, event('joined', 'A→B')],
  ])('%s: it is read', async (_which, group, deed) => {
    const ground = await openGround()
    if (group) await ground.aGroup(group)
    await ground.happens({}, deed)
    expect(await readingIn(ground)).toBe(3)
    expect(missed(ground)).toEqual([])
  })

  test('that is dissolved: closed at once and once, and neither read nor claimed', async () => {
    const ground = await openGround()
    const id = await ground.aGroup({ memberVersion: 'B' })
    await ground.happens({}, event('joined', 'B→C'))
    await ground.happens({}, event('dismissed'))
    expect(await readingIn(ground)).toBeNull()
    const closed = await groupByChat(ground.rt.db, 'wrA')
    expect(closed?.dissolvedAt).toEqual(ground.clock.now())
    const closedAt = ground.clock.now()
    ground.clock.advance(60_000)
    await ground.happens({ at: closedAt }, event('dismissed'))
    // somebody had joined before, of which we hear only now
    await ground.happens({ at: closedAt }, event('joined', 'C→D'))
    expect((await groupByChat(ground.rt.db, 'wrA'))?.dissolvedAt).toEqual(closedAt)
    expect(await readingIn(ground)).toBeNull()
    expect(await ground.audited()).toEqual([
      { action: 'group.dissolved', subjectKind: 'group', subjectId: id, details: { by: 'platform' } },
    ])
  })

  test('that was ended here by word and goes on over there: it is read', async () => {
    const ground = await openGround()
    await ground.aGroup({ dissolvedAt: ground.clock.now() })
    ground.clock.advance(60_000)
    await ground.happens({}, event('joined', 'A→B'))
    expect(await readingIn(ground)).toBe(3)
  })

  test('that waited to be claimed and is dissolved: nobody is asked any more', async () => {
    const ground = await openGround()
    for (const chatId of ['wrB', 'wrC'])
      await upsertUnclaimedChat(ground.rt.db, {
        chatId,
        name: '贺圈青年',
        ownerAddress: 'he',
        size: 3,
        seenAt: ground.clock.now(),
      })
    await ground.happens({}, event('dismissed', '', 'wrB'))
    expect(await ground.rt.db.select().from(unclaimedChats)).toMatchObject([{ chatId: 'wrC' }])
  })
})
