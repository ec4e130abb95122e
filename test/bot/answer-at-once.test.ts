import { randomInt } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSender, senderReader } from '../../db/queries/senders.ts'
import { identities, updates as updatesTable } from '../../db/schema/index.ts'
import type { Update } from '../../server/channels/channel.ts'
import { DomainError } from '../../server/errors.ts'
import { botFor } from '../../server/main.ts'
import { inTransaction } from '../../server/runtime.ts'
import { accountOf } from '../../server/sender.ts'
import { createUpdateHandler, type UpdateHandler } from '../../server/updates.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage, wecomSettings } from '../support/stage.ts'

let stage: Stage
let bot: ReturnType<typeof botFor>
let updates: UpdateHandler
const people: Record<string, string> = { stranger: 'nobody', officer: 'gao', secretary: 'wang' }

beforeAll(async () => {
  stage = await openStage()
  await fillMatrix(stage)
  updates = stage.updates
  bot = botFor(stage.rt.channels, stage.rt.templates)
  const officer = stage.sim.addPerson({ name: '高市书', wecomUserId: 'gao' })
  const secretary = stage.sim.addPerson({ name: '王镇川', wecomUserId: 'wang' })
  await bindFirst(stage, officer, 'qingnong', '610800')
  await bindThrough(stage, officer, secretary)
  await stage.say(secretary.id, '建群 团青群 微信群 30人 镇川青年 入群码 https://example.cn/q')
})
afterAll(() => stage.close())

const base = (address: string) =>
  ({
    channel: 'wecom',
    dedupeKey: `id:${randomInt(1e12)}`,
    address,
    addressSpace: 'wecom',
    recipient: wecomSettings.corpId,
    at: stage.clock.now(),
  }) as const
const textFrom = (address: string, text: string): Update => ({ ...base(address), kind: 'text', text })

const read = (update: Update) => senderReader(stage.rt.db, () => stage.clock.now())(accountOf(update))

class Undo extends Error {}

/** What the bot answers in a transaction, which is undone. */
async function inFull(update: Update): Promise<string | null> {
  let reply: string | null = null
  await inTransaction(stage.rt, async tx => {
    reply = await bot.handle(tx, update, 1).catch(error => {
      if (!(error instanceof DomainError)) throw error
      return error.message
    })
    throw new Undo()
  }).catch(error => {
    if (!(error instanceof Undo)) throw error
  })
  return reply
}

describe('what is answered at once is what the transaction would answer', () => {
  const texts = [
    '帮助',
    '帮助 通知',
    '？',
    '你好',
    '在吗',
    '谢谢',
    '好的',
    '嗯',
    '取消',
    '我想问问入群的事',
    '统记',
    '天气不错',
    '',
    '123',
    '通知 政策 各位好',
    '月报',
    '我的群',
    '待审',
    '建群',
    '绑定 00000000',
    '入群 1',
    'abcd1234',
    '各位团员青年：今年的农业补贴政策有新变化，请各村于本周五之前到镇政府登记。',
    '价格 <100 元 & 包邮的有哪些？😊',
  ]
  const cases = Object.keys(people).flatMap(who => texts.map(text => [who, text] as const))
  test.each(cases)('%s: %s', async (who, text) => {
    const update = textFrom(people[who] as string, text)
    const outright = bot.answerAtOnce(update, await read(update))
    if (outright) expect(outright.reply).toBe(await inFull(update))
  })

  test('and most of what people write needs no transaction', async () => {
    const needsWork = async (who: string) => {
      const found: string[] = []
      for (const text of texts) {
        const update = textFrom(people[who] as string, text)
        if (!bot.answerAtOnce(update, await read(update))) found.push(text)
      }
      return found
    }
    expect(await needsWork('stranger')).toEqual(['绑定 00000000', '入群 1', 'abcd1234'])
    expect(await needsWork('secretary')).toEqual([
      '通知 政策 各位好',
      '月报',
      '我的群',
      '待审',
      '建群',
      '绑定 00000000',
      '入群 1',
      // long enough to be a message that an owner shows
      expect.stringContaining('农业补贴'),
      expect.stringContaining('包邮'),
    ])
  })

  test.each<[string, (address: string) => Update, boolean]>([
    ['an event that nobody acts on', at => ({ ...base(at), kind: 'unknown', name: 'x', body: '' }), true],
    ['a link in the menu', at => ({ ...base(at), kind: 'opened', target: 'https://example.cn' }), true],
    ['a group event', () => group('sys'), false],
    ['somebody who leaves', at => ({ ...base(at), kind: 'unfollowed' }), false],
    [
      'a picture',
      at => ({ ...base(at), kind: 'media', mediaType: 'image', mediaId: 'm', url: null, text: '' }),
      true,
    ],
    ['a new follower', at => ({ ...base(at), kind: 'followed', scene: null, isScan: false }), true],
    [
      'a follower by a code of a group',
      at => ({ ...base(at), kind: 'followed', scene: 'g1', isScan: false }),
      false,
    ],
  ])('%s', async (_what, make, isAtOnce) => {
    const update = make('nobody-yet')
    expect(bot.answerAtOnce(update, await read(update)) !== undefined).toBe(isAtOnce)
  })

  test('an app that is opened again is not greeted again', async () => {
    const entered = (address: string): Update => ({ ...base(address), kind: 'entered' })
    expect(bot.answerAtOnce(entered('brand-new'), await read(entered('brand-new')))?.reply).toMatch(/您好/)
    expect(bot.answerAtOnce(entered('wang'), await read(entered('wang')))).toEqual({ reply: null })
  })
})

const group = (address: string): Update => ({
  ...base(address),
  kind: 'group',
  change: 'joined',
  chatId: 'wr1',
  addresses: [],
  count: 1,
  joinScene: null,
  quitScene: null,
  lastVersion: '',
  version: '',
})

describe('an answer at once', () => {
  const stored = async (update: Update) =>
    (await stage.rt.db.select().from(updatesTable).where(eq(updatesTable.dedupeKey, update.dedupeKey)))[0]

  test('is stored with its update before it is given, and given again when the platform asks again', async () => {
    const update = textFrom('asks-twice', '帮助')
    const { reply } = await updates.accept(update)
    const row = await stored(update)
    expect(row).toMatchObject({ status: 'handled', attempts: 0, kind: 'text' })
    expect(stage.rt.vault.open(row?.replySealed as string)).toBe(reply)
    expect(await updates.accept(update)).toEqual({ reply, isPending: false })
    expect(await rows(stage, `select 1 from updates where dedupe_key = '${update.dedupeKey}'`)).toHaveLength(
      1,
    )
  })

  test('two hundred of one moment are answered each with its own', async () => {
    const many = Array.from({ length: 200 }, (_, i) =>
      textFrom(`many-${i % 20}`, i % 2 ? '帮助' : `第 ${i} 句`),
    )
    const answers = await Promise.all(many.map(update => updates.accept(update)))
    expect(answers.filter(({ reply }) => reply?.startsWith('· 帮助'))).toHaveLength(100)
    expect(answers.filter(({ reply }) => reply?.startsWith('没有明白'))).toHaveLength(100)
  })

  test('makes somebody new known, once', async () => {
    await updates.accept(textFrom('first-words', '你好'))
    await expect
      .poll(async () => (await read(textFrom('first-words', '')))?.lastSeenAt)
      .toEqual(stage.clock.now())
  })

  test('waits for nobody’s dialogue: a question that is open gets the answer', async () => {
    await updates.accept(textFrom('wang', '建群'))
    const update = textFrom('wang', '帮我')
    expect(bot.answerAtOnce(update, await read(update))).toBeUndefined()
    await updates.accept(textFrom('wang', '取消'))
    expect(bot.answerAtOnce(update, await read(update))).toBeDefined()
  })
})

describe('who wrote a moment ago is remembered, and what changed since counts', () => {
  const person = `(select person_id from identities where address = 'wang')`
  const now = () => `'${stage.clock.now().toISOString()}'`

  /** What the update was stored as before anybody handled it: the answers of this process are only stored. */
  async function answeredFromMemory(
    text: string,
  ): Promise<{ reply: string | null; isHandledAlone: boolean }> {
    let wasHandled = false
    const process = createUpdateHandler(stage.rt, {
      answerAtOnce: (update, sender) => bot.answerAtOnce(update, sender),
      handle: (rt, update, id) => {
        wasHandled = true
        return bot.handle(rt, update, id)
      },
    })
    await process.accept(textFrom('wang', '你好'))
    await change()
    const { reply } = await process.accept(textFrom('wang', text))
    return { reply, isHandledAlone: !wasHandled }
  }
  let change = async (): Promise<void> => {}
  const changeBySql = (statement: string) => {
    change = async () => {
      await stage.rt.db.execute(sql.raw(statement))
    }
  }

  test('nothing: the answer is stored with one statement', async () => {
    change = async () => {}
    expect(await answeredFromMemory('你好')).toMatchObject({ isHandledAlone: true })
  })

  test('another process has begun a dialogue with them: their words are its answer', async () => {
    change = async () => {
      await updates.accept(textFrom('wang', '建群'))
    }
    const { reply, isHandledAlone } = await answeredFromMemory('青年夜校')
    expect(isHandledAlone).toBe(false)
    expect(reply).not.toContain('没有明白')
    await updates.accept(textFrom('wang', '取消'))
  })

  test.each([
    ['their office has ended', () => `update roles set ended_at = ${now()} where person_id = ${person}`],
    ['their name was put right', () => `update persons set name = '王镇川川' where id = ${person}`],
    ['their unit has another name', () => `update units set name = name || '新' where level = 'township'`],
    ['their account was let go', () => `update identities set person_id = null where address = 'wang'`],
  ])('%s: they are looked at again', async (_what, statement) => {
    const before = await rows(stage, `select id, person_id from identities where address = 'wang'`)
    changeBySql(statement())
    expect(await answeredFromMemory('你好')).toMatchObject({ isHandledAlone: false })
    await stage.rt.db.execute(
      sql.raw(`update identities set person_id = ${before[0]?.person_id} where id = ${before[0]?.id}`),
    )
    await stage.rt.db.execute(sql.raw(`update roles set ended_at = null where person_id = ${person}`))
  })

  test('an answer from memory is given once, however often the callback comes', async () => {
    await updates.accept(textFrom('remembered', '你好'))
    await updates.accept(textFrom('remembered', '你好'))
    const update = textFrom('remembered', '帮助')
    const answers = await Promise.all([1, 2, 3].map(() => updates.accept(update)))
    expect(new Set(answers.map(({ reply }) => reply)).size).toBe(1)
    expect(await rows(stage, `select 1 from updates where dedupe_key = '${update.dedupeKey}'`)).toHaveLength(
      1,
    )
  })
})

describe('the window of a follower', () => {
  const account = (openId: string, kind: Partial<Update> & { kind: Update['kind'] }): Update =>
    ({ ...base(openId), channel: 'official-account', addressSpace: 'official-account', ...kind }) as Update
  const windowOf = async (openId: string) => {
    const [row] = await stage.rt.db.select().from(identities).where(eq(identities.address, openId))
    return (
      row && [row.windowLeft, row.windowEndsAt && row.windowEndsAt.getTime() - stage.clock.now().getTime()]
    )
  }
  const HOURS_48 = 48 * 3_600_000

  test.each<[string, Partial<Update> & { kind: Update['kind'] }, [number | null, number | null]]>([
    ['words', { kind: 'text', text: '你好' }, [5, HOURS_48]],
    ['words that a transaction answers', { kind: 'text', text: '入群 1' }, [5, HOURS_48]],
    ['a picture', { kind: 'media', mediaType: 'image', mediaId: 'm', url: null, text: '' }, [5, HOURS_48]],
    [
      'a menu entry',
      { kind: 'tapped', key: '帮助', responseCode: null, taskId: null, cardType: null, selected: [] },
      [3, 60_000],
    ],
    ['following', { kind: 'followed', scene: null, isScan: false }, [3, 60_000]],
    ['scanning', { kind: 'followed', scene: 'x', isScan: true }, [3, 60_000]],
  ])('%s', async (_what, kind, expected) => {
    const openId = `o-${randomInt(1e9)}`
    await updates.accept(account(openId, kind))
    await expect.poll(() => windowOf(openId)).toEqual(expected)
  })

  test('a full window is neither shortened nor lowered by a tap; words fill it again', async () => {
    const now = stage.clock.now()
    const key = { channel: 'official-account', address: 'o-window' }
    const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000)
    await loadSender(stage.rt.db, key, now, { endsAt: inHours(48), left: 5 })
    await stage.rt.db.update(identities).set({ windowLeft: 1 }).where(eq(identities.address, 'o-window'))
    await loadSender(stage.rt.db, key, now, { endsAt: new Date(now.getTime() + 60_000), left: 3 })
    expect(await windowOf('o-window')).toEqual([1, HOURS_48])
    await loadSender(stage.rt.db, key, now, { endsAt: inHours(48), left: 5 })
    expect(await windowOf('o-window')).toEqual([5, HOURS_48])
  })
})

describe('in a group, where everybody reads the answer', () => {
  const said = (text: string): Update => ({
    ...textFrom('wang', text),
    kind: 'text',
    text,
    isPublic: true,
    chatId: 'g',
  })

  test.each(['待审', '我的群', '绑定 00000000', '发码 李镇川'])('%s is asked for in private', async text => {
    const update = said(text)
    expect(bot.answerAtOnce(update, await read(update))?.reply ?? (await inFull(update))).toContain('单聊')
  })

  test('转 and 收 are taken there, and answered without a word about anybody', async () => {
    for (const text of ['转', '收']) {
      const reply = await inFull(said(text))
      expect(reply).not.toContain('镇川青年')
      expect(reply).not.toBe(await inFull(textFrom('wang', text)))
    }
  })
})
