import type { Simulator } from '../simulator.ts'
import type { FaultName, FaultOptions, Via } from '../types.ts'
import { LIMITS } from './limit-names.ts'

type Input = Record<string, unknown>

const SOON_MS = 200

function text(input: Input, name: string): string {
  const value = input[name]
  if (typeof value !== 'string' || value === '') throw new Error(`缺少 ${name}`)
  return value
}

function via(input: Input): Via | undefined {
  return input.via === 'wecom' || input.via === 'officialAccount' ? input.via : undefined
}

function choices(input: Input): Record<string, string[]> {
  const chosen: Record<string, string[]> = {}
  if (typeof input.choices !== 'object' || input.choices === null) return chosen
  for (const [key, ids] of Object.entries(input.choices)) {
    if (Array.isArray(ids)) chosen[key] = ids.map(String)
  }
  return chosen
}

/** What the page's fields for a fault hold; an empty field counts as none. */
function faultOptions(input: Input): FaultOptions {
  if (typeof input.options !== 'object' || input.options === null) return {}
  const { path, times, rate, ms } = input.options as Input
  const number = (name: string, value: unknown) => {
    if (value === undefined || value === null || value === '') return {}
    const read = Number(value)
    if (!Number.isFinite(read)) throw new Error(`${name} 应是数字`)
    return { [name]: read }
  }
  return {
    ...(typeof path === 'string' && path !== '' ? { path } : {}),
    ...number('times', times),
    ...number('rate', rate),
    ...number('ms', ms),
  }
}

function limitName(input: Input): keyof typeof LIMITS {
  const name = text(input, 'name')
  if (!Object.hasOwn(LIMITS, name)) throw new Error(`没有这个限额 ${name}`)
  return name as keyof typeof LIMITS
}

/** Waits a moment for what goes wrong at once; a stream may take minutes, and the page hears of it as it grows. */
async function begin(work: Promise<unknown>): Promise<void> {
  work.catch(() => undefined)
  await Promise.race([work, new Promise(resolve => setTimeout(resolve, SOON_MS))])
}

/** Every tap on the phone page; each goes the way that a test's call goes. */
const ACTIONS: Record<string, (sim: Simulator, input: Input) => unknown> = {
  say: (sim, input) => sim.say(text(input, 'person'), text(input, 'text'), via(input)),
  image: (sim, input) => sim.sendImage(text(input, 'person'), undefined, via(input)),
  location: (sim, input) =>
    sim.sendLocation(
      text(input, 'person'),
      { latitude: 38.0, longitude: 109.9, label: text(input, 'text') },
      via(input),
    ),
  link: (sim, input) =>
    sim.sendLink(text(input, 'person'), { title: text(input, 'title'), url: text(input, 'url') }, via(input)),
  menu: (sim, input) => sim.clickMenu(text(input, 'person'), text(input, 'key'), via(input)),
  tap: (sim, input) =>
    sim.tapCard(text(input, 'person'), text(input, 'message'), text(input, 'key'), choices(input)),
  follow: (sim, input) => sim.follow(text(input, 'person')),
  unfollow: (sim, input) => sim.unfollow(text(input, 'person')),
  joinByCode: (sim, input) => sim.joinByCode(text(input, 'code'), text(input, 'person')),
  leave: (sim, input) => sim.leaveGroup(text(input, 'group'), text(input, 'person')),
  post: (sim, input) => sim.post(text(input, 'group'), text(input, 'person'), text(input, 'text')),
  forward: (sim, input) =>
    sim.forwardToGroup(text(input, 'person'), text(input, 'message'), text(input, 'group')),
  confirm: (sim, input) => sim.confirmMassTask(text(input, 'person'), text(input, 'msgid')),
  faultOn: (sim, input) => sim.faults.on(text(input, 'name') as FaultName, faultOptions(input)),
  faultOff: (sim, input) => sim.faults.off(text(input, 'name') as FaultName),
  faultsClear: sim => sim.faults.clear(),
  limitOn: (sim, input) => sim.limits.set(limitName(input), true),
  limitOff: (sim, input) => sim.limits.set(limitName(input), false),
  aibotSay: (sim, input) => begin(sim.aibot.say(text(input, 'person'), text(input, 'text'))),
  aibotMention: (sim, input) =>
    begin(sim.aibot.mention(text(input, 'group'), text(input, 'person'), text(input, 'text'))),
  aibotEnter: (sim, input) => sim.aibot.enterChat(text(input, 'person')),
  aibotTap: (sim, input) =>
    sim.aibot.tapCard(text(input, 'person'), text(input, 'message'), text(input, 'key'), choices(input)),
  addRobot: (sim, input) => sim.addRobot(text(input, 'group')),
  removeRobot: (sim, input) => sim.removeRobot(text(input, 'key')),
  confirmBill: (sim, input) => sim.pay.confirm(text(input, 'person'), text(input, 'bill')),
  failBill: (sim, input) =>
    sim.pay.confirm(text(input, 'person'), text(input, 'bill'), { refusal: 'ACCOUNT_FROZEN' }),
  confirmOfficialMass: (sim, input) => sim.official.confirmMass(text(input, 'msgid')),
  rejectOfficialMass: (sim, input) => sim.official.rejectMass(text(input, 'msgid')),
}

/** @throws Error with a message for the person at the page. */
export async function act(sim: Simulator, input: unknown): Promise<void> {
  if (typeof input !== 'object' || input === null) throw new Error('请求格式不对')
  const action = ACTIONS[text(input as Input, 'action')]
  if (!action) throw new Error('没有这个操作')
  await action(sim, input as Input)
}
