import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeError } from '../../../db/errors.ts'
import { updateStates } from '../../../db/queries/overview.ts'
import { outgoingMessages, updates } from '../../../db/schema/index.ts'
import { deleteExpired, reportTroubles } from '../../../server/jobs/housekeeping.ts'
import { openStage, type Stage } from '../../support/stage.ts'

describe('what is kept, and what is told', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage()
  })
  afterAll(() => stage.close())

  test('handled callbacks go after the time set, not before', async () => {
    const person = stage.sim.addPerson({ name: '张三', wecomUserId: 'zhang' })
    await stage.say(person.id, '帮助')
    stage.clock.advance(59 * 86_400_000)
    await deleteExpired(stage.rt)
    expect(await updateStates(stage.rt.db)).toEqual({ handled: 1 })
    stage.clock.advance(2 * 86_400_000)
    await deleteExpired(stage.rt)
    expect(await updateStates(stage.rt.db)).toEqual({})
  })

  test('operators are told only when there is something to look at', async () => {
    const told = () => stage.logLines.filter(line => line.includes('somebody must look'))
    await reportTroubles(stage.rt)
    expect(told()).toHaveLength(0)
    await stage.rt.db.insert(updates).values({
      channel: 'wecom',
      dedupeKey: 'id:1',
      kind: 'text',
      payloadSealed: 'unreadable',
      receivedAt: stage.clock.now(),
      status: 'set_aside',
    })
    await reportTroubles(stage.rt)
    expect(told()).toHaveLength(1)
    expect(told()[0]).toContain('"updatesSetAside":1')
  })

  test('what was given up and what nobody fetches is emptied after 180 days, and stays to be seen', async () => {
    const { db, vault } = stage.rt
    const now = stage.clock.now()
    await db.update(updates).set({ payloadSealed: vault.seal('张三的话'), error: 'why', receivedAt: now })
    await db.insert(outgoingMessages).values({
      kind: 'person',
      purpose: 'task',
      textsSealed: vault.seal('["给张三的话"]'),
      filesSealed: vault.seal('[]'),
      status: 'waiting',
      nextAttemptAt: now,
      createdAt: now,
    })
    stage.clock.advance(179 * 86_400_000)
    await deleteExpired(stage.rt)
    expect(await db.select().from(updates)).toMatchObject([{ payloadSealed: expect.stringMatching(/.{20}/) }])
    expect(await db.select().from(outgoingMessages)).toMatchObject([{ status: 'waiting' }])
    stage.clock.advance(2 * 86_400_000)
    await deleteExpired(stage.rt)
    expect(await db.select().from(updates)).toMatchObject([
      { status: 'set_aside', kind: 'text', error: 'why', payloadSealed: '' },
    ])
    expect(await db.select().from(outgoingMessages)).toMatchObject([
      { status: 'failed', error: expect.stringContaining('正文已删除'), textsSealed: '', filesSealed: null },
    ])
  })

  test.each<[string, unknown]>([
    ['a plain error', new Error('张思雨 13800000006')],
    [
      'a parser that quotes its input',
      (() => {
        try {
          return JSON.parse('{"电话":13800000006,')
        } catch (error) {
          return error
        }
      })(),
    ],
    ['a message of several lines that looks like a stack', new Error('x\n    at 张思雨 13800000006')],
    ['something that is no error', '张思雨 13800000006'],
  ])('the log of %s has no name and no number', (_label, error) => {
    expect(JSON.stringify(describeError(error))).not.toMatch(/张思雨|13800000006/)
  })
})
