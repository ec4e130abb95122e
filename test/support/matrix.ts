import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { SimPerson } from '../../scripts/simulator/index.ts'
import { issueCodeByOperator } from '../../server/domain/identities/issue-code.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { filledOnce } from './kept-fill.ts'
import type { Stage } from './stage.ts'

/** Two small programmes with people whose names one remembers. */
const units: Record<string, [code: string, name: string, kind: string, parent: string | null][]> = {
  qingnong: [
    ['610800', '榆林市', 'city-committee', null],
    ['610802', '榆阳区', 'county-committee', '610800'],
    ['610825', '定边县', 'county-committee', '610800'],
    ['610802101', '镇川镇', 'township-committee', '610802'],
    ['610802102', '麻黄梁镇', 'township-committee', '610802'],
    ['610825101', '贺圈镇', 'township-committee', '610825'],
  ],
  xibu: [
    ['000000', '全国', 'national-office', null],
    ['610000', '陕西省', 'province-office', '000000'],
    ['610800', '榆林市', 'city-office', '610000'],
    ['610802', '榆阳区', 'county-office', '610800'],
    ['610825', '定边县', 'county-office', '610800'],
  ],
}

const qingnongRoster = `单位编码,姓名,手机号,角色,职务,状态
610800,高市书,13900000001,农村战线团干部,青工农部部长,在岗
610802,林县书,13900000002,农村战线团干部,团区委副书记,在岗
610825,丁县书,13900000003,农村战线团干部,团县委副书记,在岗
610802101,王镇川,13900000011,乡镇团委成员,团委书记,在岗
610802101,李镇川,13900000012,乡镇团委成员,团委副书记,在岗
610802102,马黄梁,13900000013,乡镇团委成员,团委书记,在岗
610825101,贺圈书,13900000014,乡镇团委成员,团委书记,在岗
`

const xibuRoster =
  `省份,地市,区县,团支部,姓名,手机号,身份证号,角色,职务,人员类别,服务单位,服务开始日期,服务结束日期,状态
,,,,全国办,13800000001,,项目办负责同志,处长,,,,,在岗
陕西省,,,,陈省办,13800000002,,项目办负责同志,副部长,,,,,在岗
陕西省,榆林市,,,刘市办,13800000003,,项目办负责同志,主任,,,,,在岗
陕西省,榆林市,榆阳区,,赵县办,13800000004,,项目办负责同志,主任,,,,,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,周支书,13800000005,,团支部书记,团支部书记,全国项目,榆阳区团委,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,张思雨,13800000006,61080220010307312X,,,全国项目,镇川镇政府,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,阿依古丽·买买提,13800000007,,,,研究生支教团,榆阳中学,2026-08-01,2027-07-31,在岗
陕西省,榆林市,榆阳区,榆阳区第一团支部,李晓东,13800000008,,,,全国项目,榆阳区医院,2025-08-01,2026-07-31,离岗
陕西省,榆林市,定边县,定边县第一团支部,张思雨,13800000009,,,,全国项目,定边县团委,2026-08-01,2027-07-31,在岗
`.replace(/^,,,,全国办/m, '全国,,,,全国办')

/** Fills the database of a stage through the domain, as the command lines do. */
export function fillMatrix(stage: Stage): Promise<void> {
  return filledOnce(stage, 'matrix', () => fillThroughDomain(stage))
}

async function fillThroughDomain(stage: Stage): Promise<void> {
  for (const [programme, rows] of Object.entries(units))
    await importUnits(
      stage.rt,
      programme,
      rows.map(([code, name, kind, parentCode]) => ({ code, name, kind, parentCode })),
    )
  for (const [programme, csv] of [
    ['qingnong', qingnongRoster],
    ['xibu', xibuRoster],
  ] as const) {
    const result = await importCsv(stage, programme, csv)
    if (!result.isApplied) throw new Error(JSON.stringify(result.problems))
  }
}

export function importCsv(
  stage: Stage,
  programme: string,
  csv: string,
  options: { wholeOf?: string; isDryRun?: boolean } = {},
) {
  return importRoster(
    stage.rt,
    { name: 'roster.csv', bytes: Buffer.from(csv) },
    { programme, isDryRun: false, actorId: null, ...options },
  )
}

/**
 * Imports a file, and begins `work` when everything is written and not yet committed; the import ends when the work has,
 * or waits for it. @returns what the work came to
 */
export async function duringImport<T>(
  stage: Stage,
  programme: string,
  csv: string,
  work: () => Promise<T>,
): Promise<T> {
  let begun: Promise<T> | undefined
  const { isApplied, problems } = await importRoster(
    stage.rt,
    { name: 'roster.csv', bytes: Buffer.from(csv) },
    {
      programme,
      isDryRun: false,
      actorId: null,
      async finish() {
        begun = work()
        let isOver = false
        const over = () => {
          isOver = true
        }
        begun.then(over, over)
        const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
        while (!isOver && (await rows(stage, waiting)).length === 0) await pause(20)
      },
    },
  )
  if (!isApplied) throw new Error(JSON.stringify(problems))
  return begun as Promise<T>
}

/** Brings the first officer of a unit aboard with a code from the command line. */
export async function bindFirst(
  stage: Stage,
  person: SimPerson,
  programme: string,
  unitCode: string,
): Promise<void> {
  const { code } = await issueCodeByOperator(stage.rt, { programme, unitCode, name: person.name })
  const reply = await stage.say(person.id, `绑定 ${code}`)
  if (!reply.startsWith('绑定成功')) throw new Error(reply)
}

/** Brings somebody aboard with a code that an officer asks the bot for, as people do. */
export async function bindThrough(
  stage: Stage,
  officer: SimPerson,
  person: SimPerson,
  unitName = '',
): Promise<void> {
  const answer = await stage.say(officer.id, `发码 ${person.name} ${unitName}`.trim())
  const code = /绑定码：([0-9A-Z]{8})/.exec(answer)?.[1]
  if (!code) throw new Error(answer)
  const reply = await stage.say(person.id, `绑定 ${code}`)
  if (!reply.startsWith('绑定成功')) throw new Error(reply)
}

/** Reads rows as they stand in the database, to hold them against what people were told. */
export async function rows<T extends Record<string, unknown>>(stage: Stage, query: string): Promise<T[]> {
  return [...(await stage.rt.db.execute(sql.raw(query)))] as T[]
}

/** The number that the bot gave a group, as its owner reads it in the answer. */
export function groupNumber(answer: string): number {
  const number = /群号 (\d+)/.exec(answer)?.[1]
  if (!number) throw new Error(answer)
  return Number(number)
}

/** What a person has been sent since, passive replies left out. */
export function newsFor(stage: Stage, person: SimPerson): () => string[] {
  let seen = stage.received(person.id).length
  return () => {
    const news = stage.received(person.id).slice(seen)
    seen += news.length
    return news
  }
}

/** A customer group made in WeCom and claimed in the chat, as an owner does it. */
export async function claimGroup(stage: Stage, owner: SimPerson, name: string, what: string) {
  const group = stage.sim.createGroup({ kind: 'customer', name, ownerId: owner.id })
  await stage.sim.idle()
  stage.clock.advance(3000)
  await stage.settle()
  const claim = /认领 (\d+)/.exec(stage.received(owner.id).at(-1) ?? '')?.[1]
  const answer = await stage.say(owner.id, `认领 ${claim} ${what}`, 'wecom')
  await stage.settle()
  return { chat: group, number: groupNumber(answer) }
}

/** Lets the platform's events arrive and their readings happen. */
export async function afterEvents(stage: Stage): Promise<void> {
  await stage.sim.idle()
  stage.clock.advance(3000)
  await stage.settle()
}
