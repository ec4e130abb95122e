import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/client.ts'
import { administrators, auditLog, persons, signInLinks } from '../../db/schema/index.ts'
import { personId, signIn, visitorWith } from '../support/console.ts'
import { fillMatrix } from '../support/matrix.ts'
import { runProgram } from '../support/process.ts'
import { openStage, type Stage } from '../support/stage.ts'

/** The command line that makes the first administrator; nobody becomes one from a page. */
describe('npm run create-admin', () => {
  let stage: Stage
  let database: Database
  let env: Record<string, string>
  const run = (...args: string[]) => runProgram('scripts/create-admin.ts', args, env)
  const linkIn = (stdout: string) => /^http\S+\/sign-in\/link\/[\w-]+$/m.exec(stdout)?.[0] as string
  /** Opens a link as its owner does. @returns where it leads, and their browser */
  const open = async (link: string) => {
    const response = await fetch(link, { method: 'POST', redirect: 'manual' })
    const cookie = response.headers.getSetCookie().find(each => each.startsWith('qz=')) ?? ''
    return {
      status: response.status,
      to: response.headers.get('location'),
      visitor: visitorWith(stage, cookie.split(';')[0] ?? ''),
    }
  }

  beforeAll(async () => {
    stage = await openStage({ start: new Date().toISOString() })
    await fillMatrix(stage)
    env = {
      DATA_KEY: stage.rt.config.dataKey,
      DATABASE_URL: stage.databaseUrl,
      PUBLIC_URL: `${stage.serverUrl}/`,
    }
    database = connectDatabase(stage.databaseUrl, 2)
  })
  afterAll(async () => {
    await database.close()
    await stage.close()
  })

  test('by name alone: a new person without office, whose link signs in once', async () => {
    const { status, stdout, stderr } = await run('--name', '管系统')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('管系统 是系统管理员了（新建了一个没有职务的人）')
    expect(stdout).toContain('24 小时内有效，用一次')
    const link = linkIn(stdout)
    expect(link.startsWith(`${stage.serverUrl}/sign-in/link/`)).toBe(true)
    const { status: entered, to, visitor } = await open(link)
    expect([entered, to]).toEqual([303, '/console/server'])
    expect((await visitor.get('/console/server')).status).toBe(200)
    expect((await visitor.get('/console')).status).toBe(404)
    expect((await open(link)).status).toBe(410)
  })

  test('once more by the same name: the same person, another link', async () => {
    const { stdout } = await run('--name', '管系统')
    expect(stdout).not.toContain('新建')
    expect((await database.db.select().from(persons)).filter(each => each.name === '管系统')).toHaveLength(1)
    expect(await database.db.select().from(administrators)).toHaveLength(1)
    expect((await open(linkIn(stdout))).status).toBe(303)
  })

  test('a link is over after a day', async () => {
    const { stdout } = await run('--name', '管系统')
    const [link] = (await database.db.select().from(signInLinks)).slice(-1)
    expect(Number(link?.expiresAt) - Number(link?.createdAt)).toBe(24 * 3600_000)
    stage.clock.advance(24 * 3600_000 + 60_000)
    expect((await open(linkIn(stdout))).status).toBe(410)
    stage.clock.set(new Date())
  })

  test('somebody of the roster keeps their office beside it', async () => {
    const { status, stdout } = await run(
      ...['--name', '高市书', '--programme', 'qingnong', '--unit', '610800', '--url', stage.serverUrl],
    )
    expect([status, stdout]).toEqual([0, expect.stringContaining('榆林市高市书 是系统管理员了')])
    const { visitor } = await open(linkIn(stdout))
    expect((await visitor.get('/console/server')).status).toBe(200)
    expect((await visitor.get('/console')).text).toContain('榆林市')
  })

  test('--end takes the right away, with the sessions and the links', async () => {
    const { stdout } = await run('--name', '管系统')
    const visitor = await signIn(stage, '管系统')
    expect((await visitor.get('/console/server')).status).toBe(200)
    expect((await run('--name', '管系统', '--end')).stdout).toContain('管系统 不再是系统管理员')
    expect((await visitor.get('/console/server')).location).toMatch(/^\/sign-in/)
    expect((await open(linkIn(stdout))).status).toBe(410)
    expect((await (await signIn(stage, '管系统')).get('/console/server')).status).toBe(404)
    const again = await run('--name', '管系统', '--end')
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('“管系统”不是系统管理员')])
    const gao = await personId(stage, '高市书')
    const deeds = (await database.db.select().from(auditLog)).filter(row => /^administrator/.test(row.action))
    expect(deeds.map(row => row.action)).toEqual([
      ...Array.from({ length: 5 }, () => 'administrator.made'),
      'administrator.ended',
    ])
    expect(deeds.filter(row => row.subjectId === gao)).toHaveLength(1)
    expect(await database.db.select().from(administrators)).toHaveLength(2)
  })

  test('wrong words get a clear no, and --help explains them', async () => {
    const refused: [string[], number, RegExp][] = [
      [[], 2, /--name 要写/],
      [['--name', '高市书', '--unit', '610800'], 2, /一起写/],
      [['--name', '无此人', '--programme', 'qingnong', '--unit', '610800'], 1, /名册里没有“无此人”/],
      [['--name', '高市书', '--programme', 'qingnong', '--unit', '999'], 1, /没有编码是 999 的单位/],
      [['--name', '管系统', '--url', 'javascript:alert(1)'], 2, /不是网址/],
    ]
    const { PUBLIC_URL: _none, ...without } = env
    const [runs, homeless, help] = await Promise.all([
      Promise.all(refused.map(([args]) => run(...args))),
      runProgram('scripts/create-admin.ts', ['--name', '管系统'], without),
      run('--help'),
    ])
    for (const [index, [, status, words]] of refused.entries()) {
      expect(runs[index]).toMatchObject({ status, stderr: expect.stringMatching(words) })
      expect(runs[index]?.stderr).not.toMatch(/^\s+at /m)
    }
    expect(homeless).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('设置 PUBLIC_URL，或写 --url'),
    })
    expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('用法') })
  })
})
