import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { JoinSet, PRINTED, personKeyOf, type Request, type RosterRow } from './support/join-set.ts'

const HELP = `用法: node scripts/audit-requests.ts --roster 名册.csv --groups 群.json --members 成员.csv --requests 申请.jsonl

对每条入群申请输出一行 JSON:
  {"id","decision":"approve|reject|review","row":名册行号或null,"reason","explanation"}

  --roster    UTF-8 CSV，表头: 姓名,…,手机号,身份证号,微信号,省份,地市,区县,团支部,人员类别,…,服务开始日期,服务结束日期,状态
  --groups    JSON 数组 {id,name,level,province,city,county,branch,categories}，null 表示不限
  --members   UTF-8 CSV，表头: 群ID,微信号,群昵称
  --requests  JSON Lines {id,group,at,sender_wechat,text}
  --help      显示本说明`

class InputError extends Error {}

const orAny = z.string().nullable()
const groupSchema = z.object({
  id: z.string(),
  province: orAny,
  city: orAny,
  county: orAny,
  branch: orAny,
  categories: z.array(z.string()).nullable(),
})

const requestSchema = z.object({
  id: z.string(),
  group: z.string(),
  at: z.iso.datetime({ offset: true, local: true }),
  sender_wechat: z.string().nullish(),
  text: z.string(),
})

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    throw new InputError(`${file}: 读不到文件 (${(error as NodeJS.ErrnoException).code})`)
  }
}

function readCsv(file: string, columns: string[]): { line: number; row: Record<string, string> }[] {
  let records: { record: Record<string, string>; info: { lines: number } }[]
  try {
    records = parse(readFile(file), {
      columns: true,
      info: true,
      skip_empty_lines: true,
    }) as unknown as typeof records
  } catch (error) {
    if (error instanceof InputError) throw error
    const { lines, message } = error as { lines?: number; message: string }
    throw new InputError(`${file}:${lines ?? 1}: CSV 有误: ${message}`)
  }
  const header = Object.keys(records[0]?.record ?? {})
  const missing = records.length > 0 ? columns.filter(column => !header.includes(column)) : []
  if (missing.length > 0) throw new InputError(`${file}:1: 缺少列 ${missing.join('、')}`)
  return records.map(({ record, info }) => ({ line: info.lines, row: record }))
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new InputError(`${where}: 不是 JSON`)
  }
}

function checked<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new InputError(`${where}: ${issue?.path.join('.') || '内容'} ${issue?.message ?? '有误'}`)
}

const ROSTER_COLUMNS =
  '姓名 手机号 身份证号 微信号 省份 地市 区县 团支部 人员类别 服务开始日期 服务结束日期 状态'.split(' ')

function readRoster(file: string): RosterRow[] {
  return readCsv(file, ROSTER_COLUMNS).map(({ line, row }, index) => {
    const cell = (column: string) => (row[column] ?? '').trim()
    for (const column of ['服务开始日期', '服务结束日期']) {
      if (!/^(\d{4}-\d{2}-\d{2})?$/.test(cell(column)))
        throw new InputError(`${file}:${line}: ${column} 不是 YYYY-MM-DD`)
    }
    if (cell('姓名') === '') throw new InputError(`${file}:${line}: 姓名为空`)
    const idNumber = cell('身份证号').toUpperCase()
    const known = {
      id: index + 1,
      name: cell('姓名'),
      phone: cell('手机号') || null,
      idNumber: idNumber || null,
    }
    return {
      ...known,
      personKey: personKeyOf(known),
      wechat: cell('微信号') || null,
      category: cell('人员类别'),
      status: cell('状态'),
      startsOn: cell('服务开始日期') || null,
      endsOn: cell('服务结束日期') || null,
      province: cell('省份'),
      city: cell('地市'),
      county: cell('区县'),
      branch: cell('团支部'),
    }
  })
}

function readGroups(file: string): z.infer<typeof groupSchema>[] {
  const groups = checked(z.array(z.unknown()), parseJson(readFile(file), `${file}:1`), `${file}:1`)
  return groups.map((value, i) => checked(groupSchema, value, `${file} 第${i + 1}个群`))
}

function readMembers(file: string): Map<string, Set<string>> {
  const accounts = new Map<string, Set<string>>()
  for (const { row } of readCsv(file, ['群ID', '微信号'])) {
    const group = row.群ID ?? ''
    const members = accounts.get(group) ?? new Set()
    accounts.set(group, members.add((row.微信号 ?? '').trim()))
  }
  return accounts
}

function audit(files: { roster: string; groups: string; members: string; requests: string }): string[] {
  const set = new JoinSet(readRoster(files.roster), readGroups(files.groups), readMembers(files.members))
  const lines: string[] = []
  const start = performance.now()
  const cpu = process.cpuUsage()
  for (const [i, line] of readFile(files.requests).split('\n').entries()) {
    if (line.trim() === '') continue
    const where = `${files.requests}:${i + 1}`
    const request: Request = checked(requestSchema, parseJson(line, where), where)
    if (!set.hasGroup(request.group))
      throw new InputError(`${where}: 群 ${request.group} 不在 ${files.groups} 里`)
    const { decision, row, reason, explanation } = set.judge(request)
    lines.push(JSON.stringify({ id: request.id, decision: PRINTED[decision], row, reason, explanation }))
  }
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const perSecond = (time: number) => Math.round(lines.length / time)
  if (lines.length > 0)
    process.stderr.write(
      `审核 ${lines.length} 条，用时 ${seconds.toFixed(2)} 秒，每秒 ${perSecond(seconds)} 条（按处理器时间每秒 ${perSecond((user + system) / 1e6)} 条）\n`,
    )
  return lines
}

function main(): void {
  const options = {
    roster: { type: 'string' },
    groups: { type: 'string' },
    members: { type: 'string' },
    requests: { type: 'string' },
    help: { type: 'boolean' },
  } as const
  let values: { roster?: string; groups?: string; members?: string; requests?: string; help?: boolean }
  try {
    values = parseArgs({ options }).values
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n\n${HELP}`)
  }
  if (values.help) {
    process.stdout.write(`${HELP}\n`)
    return
  }
  const { roster, groups, members, requests } = values
  if (!roster || !groups || !members || !requests) throw new InputError(`缺少参数\n\n${HELP}`)
  for (const line of audit({ roster, groups, members, requests })) process.stdout.write(`${line}\n`)
}

try {
  main()
} catch (error) {
  if (!(error instanceof InputError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
