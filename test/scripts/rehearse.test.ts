import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { connectDatabase } from '../../db/client.ts'
import { createDatabase } from '../../db/migrate.ts'
import { type Matrix, readMatrix } from '../../db/queries/rehearsal-matrix.ts'
import { unitByCode } from '../../db/queries/units.ts'
import { withRehearsalDatabase } from '../../db/rehearsal-database.ts'
import { inventMatrix } from '../../scripts/rehearsal/invent-matrix.ts'
import { weaknessesOf } from '../../scripts/rehearsal/measure.ts'
import { rehearse, rolesOfProgramme } from '../../scripts/rehearsal/rehearse.ts'
import { configFor } from '../../scripts/rehearsal/stage.ts'
import { holds } from '../../server/domain/rehearsals/result.ts'
import { type PlayedPlatforms, rehearsalSettings } from '../../server/domain/rehearsals/settings.ts'
import { loadTemplates } from '../../server/templates.ts'
import { bindFirst, bindThrough, fillMatrix } from '../support/matrix.ts'
import { openStage } from '../support/stage.ts'

const platforms: PlayedPlatforms = {
  wecom: { isVerified: true, accountCap: 200 },
  official: { kind: 'service', isVerified: true, hasTemplate: true },
}
const never = new AbortController().signal
const run = (matrix: Matrix, settings: object, signal = never) =>
  rehearse(inject('postgresUrl'), matrix, rehearsalSettings.parse(settings), platforms, signal)

/** The databases of rehearsals that are there. */
async function databases(): Promise<string[]> {
  const { db, close } = connectDatabase(inject('postgresUrl'), 1)
  try {
    const rows = await db.execute<{ datname: string }>(
      `select datname from pg_database where datname like 'qunzhen_rehearsal_%' order by datname`,
    )
    return [...rows].map(row => row.datname)
  } finally {
    await close()
  }
}

/** Every address that this process opens a connection to, until the test is over. */
function addressesCalled(): Set<string> {
  const called = new Set<string>()
  const note = (message: unknown) => {
    const { socket } = message as { socket: Socket }
    socket.once('connect', () => called.add(socket.remoteAddress ?? ''))
    socket.once('lookup', (_error: unknown, address: string) => called.add(address))
  }
  subscribe('net.client.socket', note)
  onTestFinished(() => void unsubscribe('net.client.socket', note))
  return called
}

// some seconds by itself; with other tests beside it many times that
const slow = { timeout: 300_000 }

describe('a rehearsal', () => {
  test(
    'of thirty groups goes a day in seconds, reaches them, calls nobody but this machine, and leaves nothing',
    slow,
    async () => {
      const called = addressesCalled()
      const before = await databases()
      const result = await run(inventMatrix(30, 5), { seed: 5, importance: 'urgent' })
      expect(result).toMatchObject({ groups: 30, groupsInAll: 30, refused: 0 })
      expect(holds(result), JSON.stringify(result)).toBe(true)
      const figures = result.curve.map(([, reached]) => reached)
      expect(figures).toEqual([...figures].sort((a, b) => a - b))
      expect(result.curve.at(-1)?.[0]).toBe(120)
      expect(result.levels.reduce((sum, level) => sum + level.groups, 0)).toBe(30)
      expect(result.messages.reduce((sum, each) => sum + each.persons, 0)).toBeGreaterThan(20)
      expect([...called].filter(address => !/^(127\.|::1|::ffff:127\.)/.test(address))).toEqual([])
      expect(called.size).toBeGreaterThan(0)
      expect(await databases()).toEqual(before)
    },
  )

  test(
    'goes the same way with the same seed, also when platforms fail, and names what is amiss',
    slow,
    async () => {
      const matrix = inventMatrix(10, 1)
      // the last group has nobody, in a township where nobody has an account
      const last = matrix.groups.at(-1)
      if (last) last.ownerId = null
      matrix.accounts = []
      const settings = { seed: 3, importance: 'urgent', outage: 'wecom', robotsRemoved: 1 }
      const [once, again] = await Promise.all([run(matrix, settings), run(matrix, settings)])
      expect({ ...again, seconds: 0 }).toEqual({ ...once, seconds: 0 })
      expect(once.reached).toBeLessThan(10)
      expect(once.unreached.find(each => each.groupId === last?.id)?.why).toBe('no-owner')
      expect(once.mend.map(each => each.id)).toEqual(
        expect.arrayContaining(['no-owner', 'owner-no-account', 'no-second-contact']),
      )
      expect(holds(once)).toBe(false)
    },
  )

  test('that is interrupted leaves nothing; what a dead one has left goes with the next, one that runs stays', async () => {
    const url = inject('postgresUrl')
    await createDatabase(url, 'qunzhen_rehearsal_of_a_dead_one')
    await withRehearsalDatabase(url, async own => {
      expect(await databases()).not.toContain('qunzhen_rehearsal_of_a_dead_one')
      const name = new URL(own).pathname.slice(1)
      const stopping = new AbortController()
      stopping.abort(new Error('interrupted'))
      await expect(run(inventMatrix(10, 1), {}, stopping.signal)).rejects.toThrow('interrupted')
      expect(await databases()).toContain(name)
    })
  })

  test('knows no platform but the simulator', () => {
    const at = (host: string) => ({
      baseUrls: { wecom: `http://${host}/w`, officialAccount: `http://${host}/o`, pay: '' },
    })
    expect(configFor(at('127.0.0.1:1'), platforms).wecomBaseUrl).toBe('http://127.0.0.1:1/w')
    expect(() => configFor(at('qyapi.weixin.qq.com'), platforms)).toThrow(
      'must not reach qyapi.weixin.qq.com',
    )
  })

  test('copies units and groups, and nothing of a person but a number', async () => {
    const stage = await openStage()
    onTestFinished(() => stage.close())
    await fillMatrix(stage)
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const wang = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, lin, 'qingnong', '610802')
    await bindThrough(stage, lin, wang)
    await stage.say(wang.id, '建群 团青群 微信群 86人 镇川羊倌群 入群码 https://example.cn/q')
    const { db, templates, clock } = stage.rt
    const top = await unitByCode(db, 'qingnong', '610802')
    if (!top) throw new Error('no unit')
    const roles = rolesOfProgramme(templates, 'qingnong')
    const matrix = await readMatrix(db, top, { ...roles, most: 10, seed: 1, now: clock.now() })
    expect(matrix.units.map(unit => unit.name)).toEqual(['榆阳区', '镇川镇'])
    expect(matrix.units.map(unit => unit.path)).toEqual([`/${top.id}/`, `/${top.id}/${matrix.units[1]?.id}/`])
    expect(matrix.groups).toEqual([
      expect.objectContaining({ kind: 'youth', unitId: matrix.units[1]?.id, size: 86, ownerId: 1 }),
    ])
    expect(matrix.accounts).toContainEqual({
      personId: 1,
      channel: 'official-account',
      isMember: false,
      isReachable: true,
      isOpen: true,
    })
    const written = JSON.stringify(matrix)
    for (const personal of ['王镇川', '李镇川', '林县书', '羊倌', '139', 'o-wang', 'example.cn'])
      expect(written).not.toContain(personal)
  })

  test('tells the weaknesses of a matrix apart', () => {
    const unit = (id: number, path: string) => ({
      id,
      code: String(id),
      name: String(id),
      kind: 'township-committee',
      level: 'township',
      parentId: null,
      path,
      managerId: null,
    })
    const group = (id: number, unitId: number, ownerId: number | null) => ({
      id,
      kind: 'youth',
      unitId,
      platform: 'wechat',
      size: 1,
      ownerId,
      hasChat: false,
      hasRobot: false,
    })
    const official = (personId: number, isOpen: boolean) => ({
      personId,
      channel: 'official-account' as const,
      isMember: false,
      isReachable: true,
      isOpen,
    })
    const found = weaknessesOf(
      {
        programme: 'qingnong',
        units: [unit(1, '/1/'), unit(2, '/1/2/'), unit(3, '/1/3/')],
        groups: [group(1, 2, null), group(2, 2, 9), group(3, 2, 8), group(4, 3, 7), group(5, 2, 6)],
        // 5 answers for unit 2, 7 alone for unit 3, 9 stands nowhere any more
        roles: [
          { personId: 5, unitId: 2, role: 'organisation-head' },
          { personId: 7, unitId: 3, role: 'organisation-head' },
          { personId: 8, unitId: 2, role: 'village-official' },
          { personId: 6, unitId: 1, role: 'village-official' },
        ],
        accounts: [official(5, true), official(6, false), official(7, true), official(9, true)],
        groupsInAll: 5,
      },
      new Set(rolesOfProgramme(loadTemplates(), 'qingnong').managing),
    )
    expect(Object.fromEntries(found)).toEqual({
      1: ['no-owner'],
      2: ['owner-gone'],
      3: ['owner-no-account'],
      4: ['no-second-contact'],
      5: ['owner-called-only'],
    })
  })
})
