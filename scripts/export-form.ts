import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { unitByCode } from '../db/queries/units.ts'
import { exportTrackingSheet } from '../server/domain/reports/export.ts'
import { DomainError } from '../server/errors.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run export-form -- --form tracking-sheet --unit 县区编码 --month YYYY-MM --out 文件.xlsx [--filled-by 填表人] [--contact 联系方式]

导出官方报表。现有：tracking-sheet（农村共青团微信体系建设工作推进情况跟踪摸底表，青农体系，每县一张）。`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      form: { type: 'string' },
      unit: { type: 'string' },
      month: { type: 'string' },
      out: { type: 'string' },
      'filled-by': { type: 'string', default: '' },
      contact: { type: 'string', default: '' },
    },
  })
  const { form, unit: code, month, out } = values
  if (!form || !code || !month || !out) throw new UsageError('--form、--unit、--month、--out 都要写。')
  if (form !== 'tracking-sheet') throw new UsageError(`没有报表 ${form}，现有：tracking-sheet`)
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) throw new UsageError(`月份要写成 YYYY-MM：${month}`)
  return withDomain(async rt => {
    const county = await unitByCode(rt.db, 'qingnong', code)
    if (county?.level !== 'county')
      throw new DomainError('unit.unknown', `青农体系里没有编码是 ${code} 的县区。`)
    const { file, sheet } = await exportTrackingSheet(rt, county, month, {
      name: values['filled-by'],
      contact: values.contact,
    })
    writeFileSync(out, file)
    console.log(`${county.name} ${month}：${sheet.rows.length} 个乡镇，已写入 ${out}`)
    return 0
  })
})
