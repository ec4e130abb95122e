import { parseArgs } from 'node:util'
import { judgeSet } from './eval/judge-set.ts'
import { makeSet } from './eval/make-set.ts'
import {
  asksForFirst,
  isAsLabelled,
  isShownFirst,
  isWrong,
  type Outcome,
  report,
  score,
} from './eval/score.ts'
import { writeSet } from './eval/write-set.ts'
import { runCommandLine, UsageError } from './support/command-line.ts'

const HELP = `用法: node scripts/eval-join.ts [--seed 1] [--requests 10000] [--roster-rows 2000] [--write 目录] [--misses 场景]

造一套虚构的名册和入群申请（同一个种子总是同一套），用审核程序判定，按场景报告对错。答案由造的时候埋下，不由审核程序得出。
有误放或认错人时退出状态为 1。

  --seed         种子
  --requests     申请条数
  --roster-rows  名册行数
  --write        把这一套写成文件，供 audit-requests.ts 读
  --misses       列出判错的申请：all 或场景名的一部分；前面加 strict: 连可容忍的也列，加 first: 列候选人排错的
  --help         显示本说明`

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new UsageError(`--${name} 要一个整数`)
  return Number(text)
}

function missLine({ request, label, scene, judgement }: Outcome): string {
  return `${request.id} [${scene}] want ${label.decision}/${label.reason} ${label.also.join(' ')} got ${judgement.decision}/${judgement.reason}\n    ${JSON.stringify(request.text)}\n    ${judgement.explanation}`
}

/** `all`, a part of a scene's name; with `strict:` or `first:` in front, other things that could be better. */
function isListed(outcome: Outcome, misses: string): boolean {
  const [, kind = '', scene = ''] = /^(?:(strict|first):)?(.*)$/.exec(misses) ?? []
  if (scene !== 'all' && !outcome.scene.includes(scene)) return false
  if (kind === 'strict') return !isAsLabelled(outcome)
  if (kind === 'first') return asksForFirst(outcome) && !isShownFirst(outcome)
  return isWrong(outcome)
}

await runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string', default: '1' },
      requests: { type: 'string', default: '10000' },
      'roster-rows': { type: 'string', default: '2000' },
      write: { type: 'string' },
      misses: { type: 'string' },
    },
  })
  const set = makeSet(
    wholeNumber(values.seed, 'seed'),
    wholeNumber(values.requests, 'requests'),
    Math.max(50, wholeNumber(values['roster-rows'], 'roster-rows')),
  )
  if (values.write) writeSet(values.write, set)
  const { outcomes, perSecond } = judgeSet(set)
  const { misses } = values
  if (misses !== undefined)
    for (const outcome of outcomes) if (isListed(outcome, misses)) console.log(missLine(outcome))
  console.log(report(outcomes))
  console.log(`\n${Math.round(perSecond)} decisions a second`)
  const { falseApprove, wrongPerson } = score(outcomes)
  for (const outcome of [...falseApprove, ...wrongPerson]) console.log(missLine(outcome))
  return falseApprove.length + wrongPerson.length > 0 ? 1 : 0
})
