import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runRehearsals } from '../../server/jobs/rehearse.ts'
import { signIn, type Visitor } from '../support/console.ts'
import { bindFirst, bindThrough, fillMatrix, rows } from '../support/matrix.ts'
import { openStage, type Stage } from '../support/stage.ts'

describe('rehearsals on the pages', () => {
  let stage: Stage
  let county: Visitor
  let unitId: string
  const folder = mkdtempSync(join(tmpdir(), 'qunzhen-rehearsals-'))
  const never = new AbortController().signal
  const ask = (fields: Record<string, string> = {}) =>
    county.post('/console/rehearsals', { unit: unitId, ...fields })
  const last = async () =>
    (
      await rows<{ id: number; status: string; reason: string | null }>(
        stage,
        'select id, status, reason from rehearsals order by id desc limit 1',
      )
    )[0]
  /** A program in the place of ours. */
  const program = (name: string, code: string) => {
    const file = join(folder, `${name}.mjs`)
    writeFileSync(file, code)
    return file
  }
  const nextDay = () => stage.clock.advance(24 * 3600_000)

  beforeAll(async () => {
    stage = await openStage()
    await fillMatrix(stage)
    const lin = stage.sim.addPerson({ name: '林县书', wecomUserId: 'lin' })
    const wang = stage.sim.addPerson({ name: '王镇川', openId: 'o-wang' })
    await bindFirst(stage, lin, 'qingnong', '610802')
    await bindThrough(stage, lin, wang)
    for (const name of ['镇川羊倌群', '镇川电商'])
      await stage.say(wang.id, `建群 团青群 微信群 86人 ${name} 入群码 拉人`)
    county = await signIn(stage, '林县书')
    unitId = String(
      (
        await rows<{ id: number }>(
          stage,
          `select id from units where code = '610802' and programme = 'qingnong'`,
        )
      )[0]?.id,
    )
  })
  afterAll(async () => {
    await stage.close()
    rmSync(folder, { recursive: true, force: true })
  })

  // a process of its own plays it: some seconds by itself, many times that with other tests beside it
  test('a county asks for one, the job plays it, and the page shows the curve and what to mend', {
    timeout: 120_000,
  }, async () => {
    const { location } = await ask({ importance: 'urgent', lost: '100' })
    expect((await county.get(location ?? '')).text).toContain('马上开始')
    const told = stage.sim.log.length
    expect(await runRehearsals(stage.rt, never, { nice: 0 })).toBe(1)
    expect(await last()).toMatchObject({ status: 'done', reason: null })
    // the real platforms, which the stage's simulator plays, have not heard of it
    expect(stage.sim.log.slice(told)).toEqual([])
    expect(await rows(stage, 'select id from notices')).toEqual([])
    const { text } = await county.get(location ?? '')
    expect(text).toContain('没有给任何人发消息')
    expect(text).toMatch(/群主没有绑定账号<\/b>：2 个群/)
    expect(text).toContain('镇川羊倌群')
    const picture = await county.get(`${location}/curve.svg`)
    expect(picture.text).toContain('已到群或已交到群主手上')
    expect((await county.get('/console/rehearsals')).text).toMatch(
      /榆阳区<\/a><\/td><td><span class="progress">/,
    )
    expect((await county.get('/console/audit')).text).toContain('演练通知（2 个群）')
  })

  test.each([
    ['fails', 'process.stderr.write("out of luck"); process.exit(1)', '演练没有做成'],
    ['is killed', 'process.kill(process.pid, "SIGKILL")', '演练的进程中途没了'],
    ['answers nonsense', 'console.log("?")', '演练没有做成'],
    [
      'says why not',
      'console.log(JSON.stringify({ reason: "数据库账号不能建库" })); process.exit(1)',
      '不能建库',
    ],
    ['takes too long', 'setTimeout(() => {}, 60_000)', '演练太久'],
  ])('one whose process %s is marked failed, with a reason', async (name, code, reason) => {
    nextDay()
    const { location } = await ask()
    const options = {
      program: program(name.replaceAll(' ', '-'), code),
      limitMs: name === 'takes too long' ? 500 : 60_000,
    }
    expect(await runRehearsals(stage.rt, never, options)).toBe(1)
    expect(await last()).toMatchObject({ status: 'failed', reason: expect.stringContaining(reason) })
    expect((await county.get(location ?? '')).text).toContain(reason)
  })

  test('a server that stops puts it back; one that died in the middle is found', async () => {
    nextDay()
    await ask()
    const stopping = new AbortController()
    const slow = program('slow', 'process.stdin.resume()')
    const running = runRehearsals(stage.rt, stopping.signal, { program: slow })
    while ((await last())?.status !== 'running') await new Promise(wait => setTimeout(wait, 20))
    stopping.abort()
    await running
    expect(await last()).toMatchObject({ status: 'waiting' })
    await rows(stage, `update rehearsals set status = 'running' where status = 'waiting'`)
    expect(await runRehearsals(stage.rt, never, { program: slow })).toBe(0)
    expect(await last()).toMatchObject({ status: 'failed', reason: expect.stringContaining('服务中途停止') })
  })

  test('what is filled in wrong is said and kept, and a unit has three a day', async () => {
    nextDay()
    const wrong = await ask({ soon: '80', late: '40', text: '公开课' })
    expect(wrong.status).toBe(422)
    expect(wrong.text).toContain('不能超过 100%')
    expect(wrong.text).toContain('公开课</textarea>')
    expect((await ask({ text: '张三 61080220010307312X' })).status).toBe(422)
    expect((await ask({ lost: 'x' })).text).toContain('0 到 100')
    const end = () => rows(stage, `update rehearsals set status = 'done' where status = 'waiting'`)
    await end()
    for (let time = 0; time < 2; time++) expect((await ask()).status).toBe(303)
    expect((await ask()).text).toContain('已经有 2 次演练在排队')
    await end()
    expect((await ask()).status).toBe(303)
    await end()
    expect((await ask()).text).toContain('今天已经演练了 3 次')
    nextDay()
    expect((await ask()).status).toBe(303)
  })
})
