import { parseArgs } from 'node:util'
import {
  endAdministratorByOperator,
  makeAdministratorByOperator,
} from '../server/domain/sign-in/administrators.ts'
import { runCommandLine, UsageError, withDomain } from './support/command-line.ts'

const HELP = `用法: npm run create-admin -- --name 姓名 [--programme 体系 --unit 单位编码] [--url 网址] [--end]

让一个人成为系统管理员，并给出一次性的登录链接（24 小时内有效，用一次）。系统管理员看得到运行情况、配置和自检，
看不到任何人的消息、名册和群。

  --name 姓名          系统管理员的姓名
  --programme、--unit  名册里的人，写明其单位；不写则是一个没有职务、只管服务器的人
  --url 网址           用户打开本系统的网址；不写则用 PUBLIC_URL
  --end                不再是系统管理员：已登录的立即退出，没用的链接作废`

runCommandLine(HELP, async args => {
  const { values } = parseArgs({
    args,
    options: {
      name: { type: 'string' },
      programme: { type: 'string' },
      unit: { type: 'string' },
      url: { type: 'string' },
      end: { type: 'boolean' },
    },
  })
  const name = values.name?.trim()
  if (!name) throw new UsageError('--name 要写。')
  if ((values.programme === undefined) !== (values.unit === undefined))
    throw new UsageError('--programme 和 --unit 要一起写。')
  const unit = values.programme && values.unit ? { programme: values.programme, code: values.unit } : null
  if (values.end)
    return withDomain(async rt => {
      console.log(`${await endAdministratorByOperator(rt, { name, unit })} 不再是系统管理员，已退出登录。`)
      return 0
    })
  const publicUrl = webAddress(values.url ?? process.env.PUBLIC_URL)
  return withDomain(async rt => {
    const made = await makeAdministratorByOperator({ ...rt, publicUrl }, { name, unit })
    console.log(`${made.unitName ?? ''}${made.name} 是系统管理员了${made.isNew ? '（新建了一个没有职务的人）' : ''}。
请本人在自己的电脑或手机上打开这个链接登录（24 小时内有效，用一次，不要转发）：
${made.link}`)
    return 0
  })
})

function webAddress(address: string | undefined): string {
  if (!address) throw new UsageError('要有网址才能给出登录链接：设置 PUBLIC_URL，或写 --url。')
  if (!URL.canParse(address) || !/^https?:/.test(address))
    throw new UsageError(`“${address}”不是网址，应如 https://qunzhen.example.cn`)
  return address.replace(/\/+$/, '')
}
