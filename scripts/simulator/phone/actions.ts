import type { Simulator } from '../simulator.ts'
import type { FaultName, Via } from '../types.ts'

type Input = Record<string, unknown>

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
  faultOn: (sim, input) => sim.faults.on(text(input, 'name') as FaultName),
  faultOff: (sim, input) => sim.faults.off(text(input, 'name') as FaultName),
  faultsClear: sim => sim.faults.clear(),
}

/** @throws Error with a message for the person at the page. */
export async function act(sim: Simulator, input: unknown): Promise<void> {
  if (typeof input !== 'object' || input === null) throw new Error('请求格式不对')
  const action = ACTIONS[text(input as Input, 'action')]
  if (!action) throw new Error('没有这个操作')
  await action(sim, input as Input)
}
