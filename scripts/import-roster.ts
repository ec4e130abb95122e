import { accessSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { type ImportResult, importRoster } from '../server/domain/roster/import.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run import-roster -- 名册.{csv,xlsx} [--programme xibu] [--whole-of 单位编码] [--dry-run]

导入名册：认得常见的中文表头（姓名、手机号、身份证号、省份、地市、区县、团支部、单位编码、角色、职务、状态……，顺序不限），
列出新增、变动、离开和有误的行（行号和原因）；有一行有误就全部不导入。

  --programme   体系：xibu（默认）、shaoxiandui、qingnong
  --whole-of    文件是这个单位及其下级的完整名册：不在文件里的人算离开（默认只看文件里出现的单位）
  --dry-run     只核对，不导入
  --help        显示本说明

退出码：0 已导入（或核对无误），1 有误未导入，2 命令写错`

const MAX_PROBLEMS_SHOWN = 200
/** Two threads copy rows in while the import's own transaction is open. */
const CONNECTIONS = 4

runCommandLine(HELP, async args => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      programme: { type: 'string', default: 'xibu' },
      'whole-of': { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  })
  const [file] = positionals
  if (!file || positionals.length > 1) throw new UsageError('请给出一个名册文件。')
  accessSync(file)
  const wholeOf = values['whole-of']
  return withDomain(async rt => {
    if (!rt.templates.programmes.some(programme => programme.id === values.programme))
      throw new UsageError(
        `没有体系 ${values.programme}，可选：${rt.templates.programmes.map(each => each.id).join('、')}`,
      )
    const result = await importRoster(
      rt,
      { name: basename(file), path: file },
      {
        programme: values.programme,
        isDryRun: values['dry-run'],
        actorId: null,
        onProgress: progressOnTerminal(),
        ...(wholeOf === undefined ? {} : { wholeOf }),
      },
    )
    report(result, values['dry-run'])
    return result.problems.some(problem => problem.severity === 'error') ? 1 : 0
  }, CONNECTIONS)
})

/** Shows how far it is, where somebody is looking. */
function progressOnTerminal(): (done: number, all: number | null) => Promise<void> {
  let shown = 0
  return async (done, all) => {
    const now = performance.now()
    if (!process.stderr.isTTY || now - shown < 500) return
    shown = now
    process.stderr.write(`\r${all === null ? `已读 ${done} 行` : `已导入 ${done}/${all} 行`}   `)
  }
}

function report(result: ImportResult, isDryRun: boolean): void {
  const errors = result.problems.filter(problem => problem.severity === 'error')
  const warnings = result.problems.filter(problem => problem.severity === 'warning')
  const wrongLines = new Set(errors.map(problem => problem.line)).size
  console.log(
    `新增 ${result.new}，变动 ${result.changed}，不变 ${result.unchanged}，离开 ${result.gone}，有误 ${wrongLines} 行${result.moved > 0 ? `；另有调动 ${result.moved}` : ''}`,
  )
  if (result.newUnits.length > 0)
    console.log(`新设团支部 ${result.newUnits.length} 个：${result.newUnits.slice(0, 10).join('、')}`)
  for (const { line, column, value, reason } of [...errors, ...warnings].slice(0, MAX_PROBLEMS_SHOWN))
    console.log(`第 ${line} 行 ${column}${value ? `（${value}）` : ''}：${reason}`)
  const hidden = errors.length + warnings.length - MAX_PROBLEMS_SHOWN
  if (hidden > 0) console.log(`……还有 ${hidden} 条`)
  console.log(
    result.isApplied
      ? '已导入。'
      : errors.length > 0
        ? '有误，没有导入任何一行。'
        : isDryRun
          ? '核对完毕，没有导入（--dry-run）。'
          : '',
  )
}
