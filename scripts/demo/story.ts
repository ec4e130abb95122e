import { shanghaiMoment } from '../../server/clock.ts'
import { issueCodeByOperator } from '../../server/domain/identities/issue-code.ts'
import { CATEGORIES, type Category } from '../../server/domain/messages/categories.ts'
import { importRoster } from '../../server/domain/roster/import.ts'
import { importUnits } from '../../server/domain/units/import-units.ts'
import { sendMonthlyReports } from '../../server/jobs/monthly-reports.ts'
import { inTransaction } from '../../server/runtime.ts'
import type { ChatMessage, SimPerson } from '../simulator/index.ts'
import { type Cast, type CountyCast, castFiles, type Scale } from './cast.ts'
import { chance, inLanes } from './chance.ts'
import { activityKinds, awayWork, homeWork, notices, places, posts } from './corpus.ts'
import { enter, hasCustomerGroups, type Owner, type Players } from './people.ts'
import { type DemoStage, MONTH } from './stage.ts'
import { playVolunteers } from './volunteers.ts'

/** People who talk to the bot at the same time. */
const LANES = 24

export interface Story {
  stage: DemoStage
  cast: Cast
  scale: Scale
  /** Says what happens, for whoever watches. */
  tell(line: string): void
}

/** Plays the month from the first import to the sheets. Every act of a person is a callback over HTTP. */
export async function playMonth(story: Story): Promise<Players> {
  const { stage, cast } = story
  await importOffices(story)
  const players = enter(stage, cast)
  await comeAboard(story, players)
  await registerGroups(story, players)
  await registerYouth(story, players)
  await playVolunteers(story, players)
  at(story, '07', '09:00')
  await sendNotice(story, players, players.city, notices.city)
  await ownersAnswer(story, players, notices.city.body)
  for (const day of ['10', '17', '24']) {
    at(story, day, '19:00')
    await postAndRegister(story, players, day)
  }
  at(story, '26', '10:00')
  const [county] = cast.counties
  await sendNotice(story, players, officersOf(players, county as CountyCast).officer, notices.county)
  await ownersAnswer(story, players, notices.county.body)
  at(story, '28', '15:00')
  await activitiesAndFacts(story, players)
  await endOfMonth(story)
  return players
}

function officersOf(players: Players, county: CountyCast) {
  const found = players.officers.get(county)
  if (!found) throw new Error(`${county.name} has no officers`)
  return found
}

function at({ stage }: Story, day: string, time: string): void {
  stage.clock.set(shanghaiMoment(`${MONTH}-${day}`, time))
}

async function importOffices({ stage, cast, tell }: Story): Promise<void> {
  const files = castFiles(cast)
  const { rt } = stage.server
  for (const [programme, rows] of [
    ['qingnong', files.ruralUnits],
    ['xibu', files.volunteerUnits],
  ] as const)
    await inTransaction(rt, tx =>
      importUnits(
        tx,
        programme,
        rows.map(([code = '', name = '', kind = '', parent]) => ({
          code,
          name,
          kind,
          parentCode: parent || null,
        })),
      ),
    )
  for (const [programme, name, text] of [
    ['qingnong', '青农团干部名册.csv', files.ruralRoster],
    ['xibu', '西部计划名册.csv', files.volunteerRoster],
  ] as const) {
    const result = await importRoster(
      rt,
      { name, bytes: Buffer.from(text) },
      { programme, isDryRun: false, actorId: null },
    )
    if (!result.isApplied) throw new Error(`${name}: ${JSON.stringify(result.problems.slice(0, 3))}`)
    tell(`导入 ${name}：${result.rows} 行，新增 ${result.new}`)
  }
}

/** Codes go down: the operator gives the top theirs, the city its counties, the counties their townships. */
async function comeAboard({ stage, cast, tell }: Story, players: Players): Promise<void> {
  const { sim, server } = stage
  const bind = async (person: SimPerson, code: string | undefined) => {
    const [reply] = code ? await sim.say(person.id, `绑定 ${code}`) : []
    if (!reply?.text.startsWith('绑定成功')) throw new Error(`${person.name}: ${reply?.text ?? 'no code'}`)
  }
  const first = async (person: SimPerson, programme: string) => {
    const { code } = await issueCodeByOperator(server.rt, {
      programme,
      unitCode: cast.city.code,
      name: person.name,
    })
    await bind(person, code)
  }
  const through = async (officer: SimPerson, person: SimPerson, unit = '') => {
    const [reply] = await sim.say(officer.id, `发码 ${person.name} ${unit}`.trim())
    await bind(person, /绑定码：([0-9A-Z]{8})/.exec(reply?.text ?? '')?.[1])
  }
  await first(players.city, 'qingnong')
  await first(players.cityColleague, 'qingnong')
  await first(players.cityOffice, 'xibu')
  for (const { officer, colleague, office, secretary } of players.officers.values()) {
    await through(players.city, officer)
    await through(players.city, colleague)
    await through(players.cityOffice, office)
    await through(office, secretary)
  }
  await inLanes(players.owners, LANES, owner =>
    through(officersOf(players, owner.township.county).officer, owner.person, owner.township.name),
  )
  tell(`绑定账号 ${players.owners.length + 3 + 4 * players.officers.size} 人（一次性绑定码逐级发放）`)
}

async function registerGroups(story: Story, players: Players): Promise<void> {
  const { stage, cast, scale, tell } = story
  const { sim } = stage
  const luck = chance(31)
  const say = async (person: SimPerson, text: string) => {
    const [reply] = await sim.say(person.id, text)
    const number = /群号 (\d+)/.exec(reply?.text ?? '')?.[1]
    if (!number) throw new Error(`${person.name}「${text}」→ ${reply?.text}`)
    return Number(number)
  }
  await say(players.city, `建群 市级青农群 应用群 ${2 + 2 * cast.counties.length}人 青农榆林`)
  await stage.settle()
  for (const [county, { officer }] of players.officers) {
    const group = sim.createGroup({
      kind: 'internal',
      name: `青农${county.name.slice(0, 2)}`,
      ownerId: officer.id,
    })
    const webhook = sim.addRobot(group.id)
    await say(officer, `建群 县级青农群 机器人群 ${county.townships.length * 3}人 ${group.name} ${webhook}`)
  }
  // each township: one group of cadres, ten of youth, shared among its three owners
  const plans = players.owners.flatMap((owner, index) => {
    const place = index % 3
    const names = place === 0 ? [{ kind: '乡镇青农群', name: `${owner.township.name}青农工作群` }] : []
    for (let number = place; number < scale.youthGroupsATownship; number += 3)
      names.push({
        kind: '团青群',
        name: `${owner.township.name}青年${['之家', '电商', '种养', '返乡', '文体', '务工', '创业', '志愿', '读书', '互助'][number % 10]}群`,
      })
    return names.map((each, order) => ({ owner, ...each, order }))
  })
  await inLanes(plans, LANES, async ({ owner, kind, name, order }) => {
    const isCustomer =
      owner.person.wecomUserId !== undefined &&
      kind === '团青群' &&
      order === 1 &&
      hasCustomerGroups(cast, owner.township)
    if (isCustomer) {
      sim.createGroup({ kind: 'customer', name, ownerId: owner.person.id })
      return
    }
    const group = sim.createGroup({ kind: 'wechat', name, ownerId: owner.person.id })
    const size = luck.between(30, 200)
    const number = await say(
      owner.person,
      `建群 ${kind} 微信群 ${size}人 ${name} 入群码 https://weixin.example.cn/g/${group.id}`,
    )
    owner.groups.set(group.id, number)
  })
  await sim.idle()
  stage.clock.advance(5000)
  await stage.settle()
  for (const owner of players.owners) {
    const request = sim.inbox(owner.person.id).find(message => message.text.startsWith('【新群】'))
    const claim = /认领 (\d+)/.exec(request?.text ?? '')?.[1]
    const group = claim
      ? sim.groups().find(each => each.kind === 'customer' && each.ownerId === owner.person.id)
      : undefined
    if (claim && group) owner.groups.set(group.id, await say(owner.person, `认领 ${claim} 团青群`))
  }
  await stage.settle()
  tell(`登记群 ${sim.groups().length} 个（普通微信群、客户群、机器人群、应用群）`)
}

async function registerYouth(story: Story, players: Players): Promise<void> {
  const { stage, cast, tell } = story
  const { sim } = stage
  at(story, '03', '18:00')
  const luck = chance(97)
  const openGroups = new Map<string, { id: string; number: number }[]>()
  for (const owner of players.owners) {
    const list = openGroups.get(owner.township.code) ?? []
    for (const [id, number] of owner.groups) {
      const group = sim.group(id)
      if (!group.name.endsWith('青农工作群')) list.push({ id, number })
    }
    openGroups.set(owner.township.code, list)
  }
  const everybody = cast.counties.flatMap(county =>
    county.townships.flatMap(township =>
      township.youth.map((player, index) => ({ player, township, index })),
    ),
  )
  let registered = 0
  const started = Date.now()
  await inLanes(
    everybody,
    LANES,
    async ({ player, township, index }) => {
      const groups = openGroups.get(township.code) ?? []
      const group = groups[index % groups.length]
      if (!group) return
      const isHome = luck.next() < 0.6
      const work = isHome ? `在乡 ${luck.pick(homeWork)}` : `外出 ${luck.pick(awayWork)}`
      const customer = sim.group(group.id).kind === 'customer'
      const serial = `${township.code}-${index}`
      const person = sim.addPerson({
        name: player.name,
        openId: `o-youth-${serial}`,
        ...(customer ? { externalUserId: `wm-youth-${serial}` } : {}),
        note: `${township.name}青年`,
      })
      const [reply] = await sim.say(person.id, `入群 ${group.number} ${player.name} ${work}`)
      if (!reply?.text.includes('登记好了')) throw new Error(`${player.name}: ${reply?.text}`)
      await sim.joinGroup(group.id, person.id)
      registered++
    },
    done =>
      tell(
        `　青年自助登记 ${done}/${everybody.length}（每秒 ${Math.round((done * 1000) / (Date.now() - started))} 人）`,
      ),
  )
  await sim.idle()
  stage.clock.advance(5000)
  await stage.settle()
  tell(`青年自助登记 ${registered} 人`)
}

/** An officer writes a notice in the chat and confirms it; to very many groups it goes when a colleague has agreed. */
async function sendNotice(
  story: Story,
  players: Players,
  officer: SimPerson,
  notice: { category: Category; body: string },
): Promise<void> {
  const { stage, tell } = story
  const { sim } = stage
  await sim.say(officer.id, `通知 ${notice.category} ${notice.body}`)
  const [confirmed] = await sim.say(officer.id, '确认')
  const draft = /要有第二人审核，已请.*（草稿 (\d+)）/.exec(confirmed?.text ?? '')?.[1]
  if (draft !== undefined) {
    await stage.settle()
    tell(`${confirmed?.text.split('。')[0]}`)
    // without its code the command is answered with the whole, and the command that passes it
    const [shown] = await sim.say(players.cityColleague.id, `批 ${draft}`)
    const command = /批 \d+ [a-z]{3}/.exec(shown?.text ?? '')?.[0] ?? ''
    const [agreed] = await sim.say(players.cityColleague.id, command)
    if (!agreed?.text.includes('发出了')) throw new Error(`${players.cityColleague.name}: ${agreed?.text}`)
    tell(agreed.text.split('，也')[0] ?? '')
  } else {
    if (!confirmed?.text.includes('已发出')) throw new Error(`${officer.name}: ${confirmed?.text}`)
    tell(confirmed.text.split('。')[0] ?? '')
  }
  await stage.settle()
}

/** Owners relay: most within hours, some after they were reminded, some never. */
async function ownersAnswer({ stage, tell }: Story, players: Players, body: string): Promise<void> {
  const { sim, clock } = stage
  clock.advance(2 * 3600_000)
  const asked = players.owners.filter(owner => isAsked(stage, owner, body))
  const relayAll = (owners: Owner[]) => inLanes(owners, LANES, owner => relay(stage, owner, body))
  await relayAll(asked.filter(owner => owner.mood === 'prompt'))
  await stage.settle()
  clock.advance(11 * 3600_000)
  await stage.settle()
  clock.advance(6 * 3600_000)
  await relayAll(asked.filter(owner => owner.mood === 'late'))
  clock.advance(3 * 3600_000)
  await stage.settle()
  clock.advance(4 * 3600_000)
  await stage.settle()
  const [officer] = [...sim.persons()].filter(person => person.id === players.city.id)
  const [progress] = officer ? await sim.say(officer.id, '回执') : []
  tell(`　${progress?.text.split('\n')[1] ?? ''}（群主 ${asked.length} 人被请求转发）`)
}

function isAsked(stage: DemoStage, owner: Owner, body: string): boolean {
  const { sim } = stage
  const hasTask =
    owner.person.wecomUserId !== undefined &&
    sim.massTasks(owner.person.id).some(task => task.status === 'waiting' && task.text === body)
  const since = stage.clock.now().getTime() - 3 * 3600_000
  return (
    hasTask ||
    sim
      .inbox(owner.person.id)
      .some(
        message =>
          message.at.getTime() > since &&
          message.from === 'bot' &&
          !message.passive &&
          asksToRelay(message, body),
      )
  )
}

/** The text itself, or the template message that calls for it; not a reminder of an earlier notice. */
function asksToRelay(message: ChatMessage, body: string): boolean {
  const words = [message.text, message.card?.title ?? '', ...(message.card?.rows.map(row => row.value) ?? [])]
  return message.text.startsWith(body) || words.some(text => /通知 \d+ 待转发/.test(text))
}

/** Confirms the mass task, forwards the text to the other groups, and says so with one word. */
async function relay({ sim }: DemoStage, owner: Owner, body: string): Promise<void> {
  if (owner.person.wecomUserId !== undefined)
    for (const task of sim.massTasks(owner.person.id))
      if (task.status === 'waiting' && task.text === body)
        await sim.confirmMassTask(owner.person.id, task.msgid)
  const ordinary = [...owner.groups.keys()].filter(id => sim.group(id).kind === 'wechat')
  if (ordinary.length === 0) return
  const inbox = sim.inbox(owner.person.id)
  let message = inbox.findLast(each => each.from === 'bot' && each.text.startsWith(body))
  const number = inbox
    .filter(each => each.from === 'bot')
    .flatMap(each => [each.text, each.card?.title ?? '', ...(each.card?.rows.map(row => row.value) ?? [])])
    .findLast(text => /通知 \d+/.test(text))
    ?.match(/通知 (\d+)/)?.[1]
  if (!number) throw new Error(`${owner.person.name} was asked and cannot tell what`)
  // a template message only calls; the text is asked for
  if (!message) [message] = await sim.say(owner.person.id, `通知 ${number}`)
  if (!message) throw new Error(`${owner.person.name} did not get the text of notice ${number}`)
  for (const id of ordinary) sim.forwardToGroup(owner.person.id, message.id, id)
  const [reply] = await sim.say(owner.person.id, `转 ${number}`)
  if (!reply?.text.startsWith('已登记')) throw new Error(`${owner.person.name}: ${reply?.text}`)
}

/** The week's posts: the owner writes in the groups, then tells the bot in the fewest words. */
async function postAndRegister({ stage, tell }: Story, players: Players, day: string): Promise<void> {
  const { sim } = stage
  const luck = chance(Number(day))
  const plans = players.owners.map(owner => ({
    owner,
    category: luck.pick(CATEGORIES),
    other: luck.pick(CATEGORIES),
    mood: luck.next(),
    count: luck.between(1, 3),
  }))
  let sent = 0
  await inLanes(plans, LANES, async ({ owner, category, other, mood, count }) => {
    const groups = [...owner.groups].filter(([id]) => sim.group(id).kind === 'wechat')
    const post = (kind: Category, times: number) => {
      for (const [id] of groups)
        for (let time = 0; time < times; time++) {
          sim.post(id, owner.person.id, posts[kind][(Number(day) + time) % posts[kind].length] as string)
          sent++
        }
    }
    post(category, count)
    const numbers = groups.map(([, number]) => number).join(' ')
    const [reply] = await sim.say(owner.person.id, `登记 ${numbers} ${category.slice(0, 2)} ${count}条`)
    if (!reply?.text.startsWith('已登记')) throw new Error(`${owner.person.name}: ${reply?.text}`)
    if (mood < 0.25) {
      post(other, 1)
      await showMessage(stage, owner, posts[other][Number(day) % posts[other].length] as string, other)
    }
  })
  tell(`9月${Number(day)}日：群主在群里发 ${sent} 条，并登记类别和条数`)
}

/** The owner shows the bot what was posted, and puts its category right when the bot is wrong or unsure. */
async function showMessage(
  { sim }: DemoStage,
  owner: Owner,
  text: string,
  category: Category,
): Promise<void> {
  const groups = [...owner.groups]
    .filter(([id]) => sim.group(id).kind === 'wechat')
    .map(([, number]) => number)
  const [question] = await sim.say(owner.person.id, text)
  if (!question?.text.includes('要登记这条消息吗')) {
    const [reply] = await sim.say(owner.person.id, `登记 ${groups.join(' ')} ${category.slice(0, 2)} 1条`)
    if (!reply?.text.startsWith('已登记')) throw new Error(`${owner.person.name}: ${reply?.text}`)
    return
  }
  const isRight = question.text.includes(`看起来是“${category}”`)
  const [reply] = await sim.say(owner.person.id, `${groups.join(' ')}${isRight ? '' : ` ${category}`}`)
  if (!reply?.text.startsWith('已登记')) throw new Error(`${owner.person.name}: ${reply?.text}`)
}

async function activitiesAndFacts({ stage, tell }: Story, players: Players): Promise<void> {
  const { sim } = stage
  const luck = chance(28)
  const firsts = players.owners.filter((_owner, index) => index % 3 === 0)
  const plans = firsts.map(owner => ({
    owner,
    facts: [luck.between(8, 30), luck.between(10, 40), luck.between(150, 900)],
    activities: Array.from({ length: luck.between(1, 3) }, () => ({
      kind: luck.pick(activityKinds),
      heads: luck.between(12, 120),
      place: luck.pick(places),
      day: luck.between(2, 27),
    })),
  }))
  let held = 0
  await inLanes(plans, LANES, async ({ owner, facts, activities }) => {
    const [reply] = await sim.say(
      owner.person.id,
      `填报 团支部 ${facts[0]} 团干部 ${facts[1]} 团员青年 ${facts[2]}`,
    )
    if (!reply?.text.startsWith('已填报')) throw new Error(`${owner.person.name}: ${reply?.text}`)
    for (const { kind, heads, place, day } of activities) {
      const [said] = await sim.say(owner.person.id, `活动 ${kind} ${heads}人 ${place} 9月${day}日`)
      if (!said?.text.startsWith('已登记')) throw new Error(`${owner.person.name}: ${said?.text}`)
      held++
    }
  })
  tell(`乡镇填报基本数据 ${plans.length} 份，登记线下活动 ${held} 次`)
}

/** On the first of the next month the sheets go to the counties. */
async function endOfMonth({ stage, tell }: Story): Promise<void> {
  stage.clock.set(new Date('2026-10-01T08:00:00+08:00'))
  const sheets = await sendMonthlyReports(stage.server.rt)
  await stage.settle()
  tell(`10月1日：${sheets} 个县区的跟踪摸底表已生成并发给县团委`)
}
