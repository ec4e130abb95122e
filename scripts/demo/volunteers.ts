import type { SimPerson } from '../simulator/index.ts'
import type { CountyCast, Player } from './cast.ts'
import { inLanes } from './chance.ts'
import { notices } from './corpus.ts'
import type { Players } from './people.ts'
import type { Story } from './story.ts'

/**
 * 西部计划: branch secretaries open customer groups, volunteers ask to be let in as people type, strangers try too,
 * and somebody gets in by the side door and is found.
 */
export async function playVolunteers({ stage, tell }: Story, players: Players): Promise<void> {
  const { sim, clock } = stage
  const groups = new Map<CountyCast, { chatId: string; number: number }>()
  for (const [county, { secretary }] of players.officers)
    groups.set(county, {
      chatId: sim.createGroup({ kind: 'customer', name: county.branch, ownerId: secretary.id }).id,
      number: 0,
    })
  await sim.idle()
  clock.advance(5000)
  await stage.settle()
  for (const [county, { secretary }] of players.officers) {
    const request = sim.inbox(secretary.id).find(message => message.text.startsWith('【新群】'))
    const claim = /认领 (\d+)/.exec(request?.text ?? '')?.[1]
    const [reply] = await sim.say(secretary.id, `认领 ${claim} 西部计划志愿者团支部群`)
    const number = /群号 (\d+)/.exec(reply?.text ?? '')?.[1]
    if (!number) throw new Error(`${secretary.name}: ${reply?.text}`)
    const group = groups.get(county)
    if (group) group.number = Number(number)
  }

  await inLanes(players.volunteers, 8, async ({ person, player, county }, index) => {
    await sim.say(person.id, `入群 ${groups.get(county)?.number} ${requestText(player, county, index)}`)
  })
  await stage.settle()

  // strangers: a made-up name, and a name that a whole county knows without anything to prove it
  for (const [index, [county, { secretary }]] of [...players.officers].entries()) {
    const stranger = sim.addPerson({
      name: `路人${index}`,
      openId: `o-stranger-${index}`,
      note: '不在名册上的人',
    })
    await sim.say(
      stranger.id,
      `入群 ${groups.get(county)?.number} 我是志愿者欧阳长风，电话1990000${String(1000 + index)}`,
    )
    const namesake = sim.addPerson({
      name: secretary.name,
      openId: `o-namesake-${index}`,
      note: '只报姓名的人',
    })
    await sim.say(namesake.id, `入群 ${groups.get(county)?.number} 我是${county.volunteers[0]?.name}`)
  }
  await stage.settle()

  // the secretaries decide what the policy left to them
  for (const { secretary } of players.officers.values()) {
    const [list] = await sim.say(secretary.id, '待审')
    for (const line of list?.text.split('\n') ?? []) {
      const number = /^(\d+)　/.exec(line)?.[1]
      if (!number) continue
      // a phone that differs in one digit is a slip; a name alone is nothing
      const isSlip = /手机/.test(line) && /\d{3}\*{4}/.test(line)
      await sim.say(secretary.id, isSlip ? `同意 ${number}` : `拒绝 ${number} 请写上手机号或身份证号后六位`)
    }
  }
  await stage.settle()
  for (const { person } of players.volunteers) await joinByPass(stage, person)
  await sim.idle()
  clock.advance(5000)
  await stage.settle()

  const [first] = groups.values()
  const intruder = sim.addPerson({ name: '卖保险的', externalUserId: 'wm-intruder', note: '被拉进群的外人' })
  await sim.joinGroup(first?.chatId as string, intruder.id, { scene: 0 })
  await sim.idle()
  clock.advance(5000)
  await stage.settle()
  await sim.leaveGroup(first?.chatId as string, intruder.id, { removed: true })
  await sim.idle()
  clock.advance(5000)
  await stage.settle()

  await sim.say(players.cityOffice.id, `通知 ${notices.volunteers.category} ${notices.volunteers.body}`)
  await sim.say(players.cityOffice.id, '确认')
  await stage.settle()
  clock.advance(3600_000)
  for (const [index, { secretary }] of [...players.officers.values()].entries())
    for (const task of sim.massTasks(secretary.id))
      if (index % 6 !== 5) await sim.confirmMassTask(secretary.id, task.msgid)
  await stage.settle()
  const joined = [...groups.values()].reduce(
    (sum, group) => sum + sim.group(group.chatId).members.size - 1,
    0,
  )
  tell(
    `西部计划：${players.volunteers.length} 名志愿者申请入群，${joined} 人凭专属入群码进群；外人进群被发现并移出`,
  )
}

/** How people write: with labels, in a sentence, with spaces and full-width digits, with the ID's end, with a slip. */
function requestText({ name, phone, idNumber }: Player, county: CountyCast, index: number): string {
  const wide = [...phone].map(digit => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)).join('')
  const slip = phone.slice(0, 10) + String((Number(phone[10]) + 1) % 10)
  switch (index % 8) {
    case 0:
      return `姓名：${name}\n手机：${phone}`
    case 1:
      return `我是${county.name}的志愿者${name}，电话${phone.slice(0, 3)} ${phone.slice(3, 7)} ${phone.slice(7)}`
    case 2:
      return `${name} ${wide}`
    case 3:
      return `${name}，身份证后六位${idNumber.slice(-6)}`
    case 4:
      return `书记好，我叫${name}，+86${phone}，麻烦通过一下`
    case 5:
      return `#入群# ${name} | ${county.name} | ${phone}`
    case 6:
      return `${name} ${slip}`
    default:
      return `本人${name}，身份证号${idNumber}`
  }
}

/** Scans the code that the bot has sent, as the person does. */
async function joinByPass(stage: Story['stage'], person: SimPerson): Promise<void> {
  const pass = stage.sim.inbox(person.id).findLast(message => message.text.includes('专属入群码（'))
  const code = /(https?:\/\/\S+)$/.exec(pass?.text ?? '')?.[1]
  if (code) await stage.sim.joinByCode(code, person.id)
}
