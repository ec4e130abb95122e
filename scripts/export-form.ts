import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { unitByCode } from '../db/queries/units.ts'
import { whyNoForm, writeForm } from '../server/domain/forms/export.ts'
import { officialForms } from '../server/domain/forms/index.ts'
import { periodShape, periodToSend, periodWords } from '../server/domain/forms/periods.ts'
import { DomainError } from '../server/errors.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const shapeWords = { month: 'YYYY-MM', 'two-months': '两个月里后一个月 YYYY-MM', year: 'YYYY' }

const HELP = `用法: npm run export-form -- --form 报表 --unit 单位编码 --out 文件.xlsx [--period 期] [--filled-by 填表人] [--contact 联系方式]

导出官方报表（XLSX）。报表里的电话、微信号是完整的，请妥善保管。

  --form     ${officialForms.map(form => `${form.id}（${form.name}，期 ${shapeWords[form.rhythm]}）`).join('\n             ')}
  --unit     填这张表的单位的编码
  --period   期，也可写作 --month；不写是现在该报的一期`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      form: { type: 'string' },
      unit: { type: 'string' },
      programme: { type: 'string' },
      period: { type: 'string' },
      month: { type: 'string' },
      out: { type: 'string' },
      'filled-by': { type: 'string', default: '' },
      contact: { type: 'string', default: '' },
    },
  })
  const { form: id, unit: code, out } = values
  if (!id || !code || !out) throw new UsageError('--form、--unit、--out 都要写。')
  const form = officialForms.find(each => each.id === id)
  if (!form) throw new UsageError(`没有报表 ${id}，现有：${officialForms.map(each => each.id).join('、')}`)
  if (values.programme && values.programme !== form.programme)
    throw new UsageError(`${form.name}是 ${form.programme} 的报表，不是 ${values.programme} 的。`)
  const given = values.period ?? values.month
  if (given !== undefined && !periodShape(form.rhythm).test(given))
    throw new UsageError(`${form.name}的期要写成 ${shapeWords[form.rhythm]}：${given}`)
  return withDomain(async rt => {
    const now = rt.clock.now()
    const unit = await unitByCode(rt.db, form.programme, code)
    if (!unit) throw new DomainError('unit.unknown', `${form.programme} 体系里没有编码是 ${code} 的单位。`)
    const period = given ?? periodToSend(form.rhythm, now)
    const why = whyNoForm(rt.templates, { form, unit, period }, now)
    if (why !== null) throw new DomainError('form.none', why)
    const { file } = await writeForm(
      rt,
      { form, unit, period },
      { name: values['filled-by'], contact: values.contact },
    )
    writeFileSync(out, file)
    console.log(`${unit.name} ${periodWords(form.rhythm, period)}${form.name}：已写入 ${out}`)
    return 0
  })
})
