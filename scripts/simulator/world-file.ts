import { z } from 'zod'
import type { Simulator } from './simulator.ts'

/** The server's settings say yes and no. */
const yesNo = z.union([z.boolean(), z.stringbool()])

const downstream = z.strictObject({
  corpId: z.string().min(1),
  name: z.string().min(1),
  agentId: z.number().int().positive(),
  kind: z.enum(['chain', 'linked']).optional(),
  groupId: z.number().int().optional(),
  customId: z.string().optional(),
  hasJoined: z.boolean().optional(),
})

const wecomApp = z.strictObject({
  corpId: z.string().min(1),
  agentId: z.coerce.number().int().positive(),
  secret: z.string().min(1),
  token: z.string().min(1),
  aesKey: z.string().regex(/^[A-Za-z0-9]{43}$/, '必须是 43 个字母或数字'),
  callbackUrl: z.url().optional(),
  name: z.string().optional(),
  accountCap: z.coerce.number().int().positive().optional(),
  visible: z.array(z.string()).optional(),
  verified: yesNo.optional(),
  customerContact: z.boolean().optional(),
  trustedDomain: z.string().optional(),
  downstream: z.array(downstream).optional(),
})

const officialAccount = z.strictObject({
  appId: z.string().min(1),
  originalId: z.string().min(1).default('gh_simulator000'),
  secret: z.string().min(1),
  token: z.string().min(1),
  aesKey: z
    .string()
    .regex(/^([A-Za-z0-9]{43})?$/, '必须是 43 个字母或数字')
    .default(''),
  mode: z.enum(['plain', 'compatible', 'secure']).default('secure'),
  kind: z.enum(['service', 'subscription']).default('service'),
  templates: z.record(z.string(), z.array(z.string())).optional(),
  callbackUrl: z.url().optional(),
  name: z.string().optional(),
  verified: yesNo.optional(),
  pushFormat: z.enum(['xml', 'json']).optional(),
  massProtection: z.boolean().optional(),
  subscriptionTemplates: z
    .record(
      z.string(),
      z.strictObject({
        title: z.string(),
        fields: z.array(z.string()),
        longTerm: z.boolean().default(false),
      }),
    )
    .optional(),
  loginDomain: z.string().optional(),
  templateDailyCap: z.number().int().positive().optional(),
})

const aibot = z.strictObject({
  token: z.string().min(1),
  aesKey: z.string().regex(/^[A-Za-z0-9]{43}$/, '必须是 43 个字母或数字'),
  botId: z.string().min(1).default('AIBOT_SIMULATOR'),
  name: z.string().min(1).default('群阵助手'),
  callbackUrl: z.url().optional(),
  userIds: z.enum(['plain', 'encrypted']).default('plain'),
  pollMs: z.number().int().positive().optional(),
  streamMinutes: z.number().positive().optional(),
  worksInCustomerGroups: z.boolean().optional(),
})

const fen = z.number().int().nonnegative()

const pay = z.strictObject({
  mchId: z.string().min(1),
  appIds: z.array(z.string().min(1)).min(1),
  apiV3Key: z.string().refine(key => Buffer.byteLength(key) === 32, '必须是 32 个字节'),
  serial: z.string().min(1),
  publicKey: z.string().includes('-----BEGIN ', { error: '必须是 PEM 格式的公钥或证书' }),
  balance: fen.optional(),
  scenes: z.array(z.string()).optional(),
  amounts: z
    .strictObject({ minPerBill: fen, maxPerBill: fen, perUserDay: fen, perDay: fen })
    .partial()
    .optional(),
  keyMode: z.enum(['public-key', 'certificate']).optional(),
  reach: z.record(z.url(), z.url()).optional(),
  lockMs: fen.optional(),
  transferMs: fen.optional(),
  cancelMs: fen.optional(),
  expiredState: z.enum(['FAIL', 'CANCELLED']).optional(),
  oldTransfers: z.boolean().optional(),
})

const person = z.strictObject({
  key: z.string().min(1),
  name: z.string().min(1),
  wecomUserId: z.string().optional(),
  openId: z.string().optional(),
  externalUserId: z.string().optional(),
  unionId: z.string().optional(),
  follows: z.boolean().optional(),
  note: z.string().optional(),
  corpId: z.string().optional(),
  departmentIds: z.array(z.number().int().positive()).optional(),
  isLicensed: z.boolean().optional(),
  mobile: z.string().optional(),
  email: z.string().optional(),
})

const group = z.strictObject({
  kind: z.enum(['wechat', 'customer', 'internal']),
  name: z.string().min(1),
  owner: z.string(),
  members: z.array(z.string()).default([]),
  chatId: z.string().optional(),
  robot: z.boolean().default(false),
})

const count = z.number().int().nonnegative()

/** What the official pages leave open or say in two ways; see SimulatorOptions. */
const switches = z
  .strictObject({
    retryNon200: z.boolean(),
    detailLagMs: count,
    massDispatchMs: count,
    massRemindsPerDay: count,
    massReceiptRule: z.enum(['month', 'seven-a-week', 'one-a-day']),
    appchatPerHour: count,
    inviteScene: z.literal([0, 1]),
    memberChanges: z.enum(['items', 'commas', 'absent']),
    optionSpelling: z.enum(['OptionIds', 'OpitonIds']),
    joinWayAnswersCode: z.boolean(),
    serviceMessagesPerMessage: count,
    jobFinishMs: count,
  })
  .partial()

/** What `--world FILE` holds. Owners and members are named by the persons' keys. */
export const worldFile = z.strictObject({
  wecom: wecomApp.optional(),
  officialAccount: officialAccount.optional(),
  aibot: aibot.optional(),
  pay: pay.optional(),
  switches: switches.optional(),
  persons: z.array(person).default([]),
  groups: z.array(group).default([]),
})

export type WorldFile = z.output<typeof worldFile>

/** The accounts as the server's own settings name them, so that one environment serves both. */
export function accountsFromEnvironment(environment: Record<string, string | undefined>): unknown {
  const pick = (names: Record<string, string>) => {
    const found: Record<string, string> = {}
    for (const [key, name] of Object.entries(names)) if (environment[name]) found[key] = environment[name]
    return found
  }
  const wecom = pick({
    corpId: 'WECOM_CORP_ID',
    agentId: 'WECOM_AGENT_ID',
    secret: 'WECOM_SECRET',
    token: 'WECOM_TOKEN',
    aesKey: 'WECOM_AES_KEY',
    callbackUrl: 'WECOM_CALLBACK_URL',
    verified: 'WECOM_VERIFIED',
    accountCap: 'WECOM_ACCOUNT_CAP',
  })
  const account = pick({
    appId: 'OFFICIAL_ACCOUNT_APP_ID',
    originalId: 'OFFICIAL_ACCOUNT_ORIGINAL_ID',
    secret: 'OFFICIAL_ACCOUNT_SECRET',
    token: 'OFFICIAL_ACCOUNT_TOKEN',
    aesKey: 'OFFICIAL_ACCOUNT_AES_KEY',
    mode: 'OFFICIAL_ACCOUNT_MODE',
    kind: 'OFFICIAL_ACCOUNT_KIND',
    callbackUrl: 'OFFICIAL_ACCOUNT_CALLBACK_URL',
    verified: 'OFFICIAL_ACCOUNT_VERIFIED',
  })
  const robot = pick({
    token: 'WECOM_BOT_TOKEN',
    aesKey: 'WECOM_BOT_AES_KEY',
    userIds: 'WECOM_BOT_USER_IDS',
    callbackUrl: 'WECOM_BOT_CALLBACK_URL',
  })
  const template = environment.OFFICIAL_ACCOUNT_NOTICE_TEMPLATE
  return {
    ...(wecom.corpId === undefined ? {} : { wecom }),
    ...(robot.token === undefined || robot.aesKey === undefined ? {} : { aibot: robot }),
    ...(account.appId === undefined
      ? {}
      : {
          officialAccount: {
            ...account,
            ...(template ? { templates: { [template]: ['thing1', 'time2', 'thing3'] } } : {}),
          },
        }),
  }
}

/** Fills a fresh simulator. @returns the webhooks of the groups that got a robot, by the group's name. */
export function fillWorld(sim: Simulator, world: WorldFile): Record<string, string> {
  if (world.wecom) {
    const { downstream: corps = [], ...app } = world.wecom
    sim.addWecomApp({ ...withoutUndefined(app), downstream: corps.map(withoutUndefined) })
  }
  if (world.officialAccount) sim.addOfficialAccount(withoutUndefined(world.officialAccount))
  if (world.aibot) sim.aibot.add(withoutUndefined(world.aibot))
  if (world.pay) {
    const { amounts = {}, ...merchant } = world.pay
    sim.pay.addMerchant({ ...withoutUndefined(merchant), amounts: withoutUndefined(amounts) })
  }
  const ids = new Map<string, string>()
  for (const { key, ...input } of world.persons) ids.set(key, sim.addPerson(withoutUndefined(input)).id)
  const idOf = (key: string) => {
    const id = ids.get(key)
    if (id === undefined) throw new Error(`名单里没有 ${key}`)
    return id
  }
  const robots: Record<string, string> = {}
  for (const { kind, name, owner, members, chatId, robot } of world.groups) {
    const made = sim.createGroup({
      kind,
      name,
      ownerId: idOf(owner),
      memberIds: members.map(idOf),
      ...(chatId === undefined ? {} : { chatId }),
    })
    if (robot) robots[name] = sim.addRobot(made.id)
  }
  return robots
}

type Present<Type> = { [Key in keyof Type]: Exclude<Type[Key], undefined> }

/** Fields that are absent instead of undefined. */
export function withoutUndefined<Type extends object>(value: Type): Present<Type> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Present<Type>
}
