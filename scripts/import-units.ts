import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import { importUnits } from '../server/domain/units/import-units.ts'
import { DomainError } from '../server/errors.ts'
import { inTransaction } from '../server/runtime.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run import-units -- 单位.csv --programme 体系

导入组织单位（UTF-8 CSV，表头：单位编码,单位名称,单位类型,上级编码）。单位类型写中文名或英文代号（见 templates/programmes/），
顶级单位的上级编码留空。已有的单位不变；有一行不对就全部不导入。`

runCommandLine(HELP, async args => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { programme: { type: 'string' } },
  })
  const [file] = positionals
  const { programme } = values
  if (!file || !programme) throw new UsageError('请给出单位文件和 --programme。')
  const rows = parse(readFileSync(file), {
    columns: true,
    bom: true,
    trim: true,
    skip_empty_lines: true,
  }) as Record<string, string>[]
  return withDomain(async rt => {
    const kinds = rt.templates.programme(programme).unitKinds
    const inputs = rows.map((row, index) => {
      const kind = kinds.find(each => each.id === row.单位类型 || each.name === row.单位类型)
      if (!row.单位编码 || !row.单位名称 || !kind)
        throw new DomainError(
          'unit.row',
          `第 ${index + 2} 行：缺少编码或名称，或没有单位类型“${row.单位类型 ?? ''}”。`,
        )
      return { code: row.单位编码, name: row.单位名称, kind: kind.id, parentCode: row.上级编码 || null }
    })
    const count = await inTransaction(rt, tx => importUnits(tx, programme, inputs))
    console.log(`新增单位 ${count} 个，已有 ${inputs.length - count} 个。`)
    return 0
  })
})
