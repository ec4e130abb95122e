import { parseArgs } from 'node:util'
import { personById } from '../db/queries/persons.ts'
import { unitByCode } from '../db/queries/units.ts'
import { systemClock } from '../server/clock.ts'
import type { KnownActor } from '../server/domain/actor.ts'
import { startBenchServer } from './bench/bench-server.ts'
import { nationalTree } from './bench/national-tree.ts'
import { nationalGroups } from './bench/notice/national-groups.ts'
import { sendTargets } from './bench/notice/send-figures.ts'
import { takeSteps } from './bench/notice/take-steps.ts'
import { writeCascade } from './bench/notice/write-cascade.ts'
import { withDurablePostgres } from './chaos/durable-postgres.ts'
import { countOf, runCommandLine } from './support/command-line.ts'

const HELP = `用法: npm run bench:notice [-- --groups 606000 --rounds 3]

量一个发到全国的通知（44,704 个单位，60.6 万个基层群）：
  · 把投递、要发的消息和催办时刻都写下来要多久，是数据库用一条 INSERT … SELECT 写同样的行的几倍；
  · 60.6 万个催办时刻等着的时候，一到时刻，提醒几秒后排上队（真的定时任务在跑）；
  · 一个进程每秒发出多少条（模拟器在另一个进程里，限额放开），限额打开时发到所允许的几成、有没有超过。
数据库打开 fsync、synchronous_commit，否则不量。最后一行是 JSON；目标全部达到时退出码 0。

  --groups   群数（默认 606000）
  --rounds   轮数（默认 3），取中位数；催办取最慢的一轮`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: { groups: { type: 'string', default: '606000' }, rounds: { type: 'string', default: '3' } },
  })
  const groups = countOf('groups', values.groups, 1000)
  const rounds = countOf('rounds', values.rounds)

  return withDurablePostgres(async url => {
    const { server, databaseUrl } = await startBenchServer(url, 'notices')
    try {
      const { rt } = server
      const { officerId } = await nationalTree(rt)
      await nationalGroups(rt.db, 'shaoxiandui', groups, systemClock.now())
      const top = await unitByCode(rt.db, 'shaoxiandui', '0')
      const person = await personById(rt.db, officerId)
      if (!top || !person) throw new Error('the tree was not made')
      const actor: KnownActor = {
        identityId: 0,
        channel: 'wecom',
        address: 'bench',
        boundBy: 'code',
        person: { id: person.id, name: person.name },
        roles: [
          {
            unitId: top.id,
            unitName: top.name,
            unitPath: top.path,
            programme: top.programme,
            level: top.level,
            role: 'office-comrade',
          },
        ],
      } as KnownActor
      console.log(`${groups} 个群，44,704 个单位`)
      const written = await writeCascade(rt, actor, top.id, rounds)
      const ratio = written.ms / written.baselineMs
      console.log(
        `写下 ${written.deliveries} 个投递、${written.messages} 条消息：${(written.ms / 1000).toFixed(1)} 秒；同样的行一条 INSERT … SELECT：${(written.baselineMs / 1000).toFixed(1)} 秒；${ratio.toFixed(2)} 倍`,
      )
      const steps = await takeSteps(rt, server.updates, databaseUrl, actor, top.id, rounds)
      const worst = Math.max(...steps.seconds)
      console.log(
        `${steps.waiting} 个催办时刻等着；到时刻后 ${steps.seconds.map(each => each.toFixed(1)).join('、')} 秒排上队\n`,
      )
      const targets = [
        target('write_seconds', written.ms / 1000, 60),
        target('write_vs_insert_select', ratio, 3),
        target('step_to_message_seconds', worst, 5),
        ...(await sendTargets(url, 2)),
      ]
      console.log(JSON.stringify({ bench: 'notice', targets }))
      return targets.every(each => each.holds) ? 0 : 1
    } finally {
      await server.stop()
    }
  })
})

function target(name: string, value: number, below: number) {
  return { name, value: Math.round(value * 100) / 100, target: `<${below}`, holds: value < below }
}
