import {
  type AuditedKindRow,
  askForInvitations,
  askForRemovals,
  type ChangeNews,
  type ChangeWords,
  endPassesOfMovers,
  findKeepers,
  followContacts,
  invitedBySelf,
  type MemberRuleRow,
  newsOfTasks,
  openFollowing,
  openTasks,
  proposeHandOvers,
  releaseNewOfficers,
  requestReadingsOfMovers,
  touchByImport,
  touchByKeys,
  turnRoles,
  voidTasks,
  workOutBelonging,
} from '../../../db/queries/follow-roster.ts'
import { addDays, dayOf } from '../../clock.ts'
import type { DomainRuntime } from '../../runtime.ts'
import type { Templates } from '../../templates.ts'
import { categoryNames, rolesMeant } from '../groups/entitlement.ts'
import { answerersFor, managingPairs } from '../groups/managers.ts'
import { handOverRules } from '../hand-over/policy.ts'
import { sendToPersons } from '../outgoing/enqueue.ts'

/** A role of somebody in a unit. */
export interface HeldRole {
  personId: number
  unitId: number
  role: string
}

/** Hours within which a group follows a change where a programme's templates say nothing. Source: project assumption. */
const CHANGE_WITHIN_HOURS = 24

/** Who comes back to an office within this time goes on with their branch (1+100). Source: project assumption. */
const CONTACT_RESUMES_DAYS = 30

/** Names and groups that a message lists; the rest is behind its link. */
const LISTED = 10

const ownDay: ChangeWords = {
  gone: '{name}：服务期已结束（原{from}），请移出',
  moved: '{name}：已转到{to}（原{from}），请移出',
  goneIfThere: '{name}：服务期已结束（原{from}），如在群里请移出',
  movedIfThere: '{name}：已转到{to}（原{from}），如在群里请移出',
  arrived: '{name}：今天起在{to}服务，请拉入群',
}

const byRoster: ChangeWords = {
  ...ownDay,
  gone: '{name}：已不在名册（原{from}），请移出',
  goneIfThere: '{name}：已不在名册（原{from}），如在群里请移出',
  arrived: '{name}：名册新增，在{to}，请拉入群',
}

/**
 * Rights and groups follow an applied import at once (全国项目办发〔2018〕1号 三.3 人员变动及时更新): roles end and begin as
 * the standing entries say for today, owners get the tasks of who is to leave and to come, newcomers who can come by
 * themselves are told how, what somebody had charge of is proposed for a hand-over, and 1+100 contacts end.
 *
 * Call it in the import's transaction behind the entries. Where the entries do not say any more which roles are
 * concerned (an undone import) name them.
 * @param touched the roles whose standing may have changed; left out: those of all entries of the import
 */
export async function followRoster(rt: DomainRuntime, importId: number, touched?: HeldRole[]): Promise<void> {
  await openFollowing(rt.db, ...rulesOf(rt))
  if (touched) await touchByKeys(rt.db, touched)
  else await touchByImport(rt.db, importId)
  await follow(rt, { importId, words: byRoster, notBefore: rt.clock.now() })
}

/** Follows the roles that a caller has put into `touched_roles`. */
export async function followDayChanges(
  rt: DomainRuntime,
  touch: (db: DomainRuntime['db']) => Promise<void>,
  notBefore: Date,
): Promise<void> {
  await openFollowing(rt.db, ...rulesOf(rt))
  await touch(rt.db)
  await follow(rt, { importId: null, words: ownDay, notBefore })
}

interface Following {
  importId: number | null
  words: ChangeWords
  /** Nobody is written to before. */
  notBefore: Date
}

async function follow(rt: DomainRuntime, { importId, words, notBefore }: Following): Promise<void> {
  const now = rt.clock.now()
  const today = dayOf(now)
  await turnRoles(rt.db, now, today)
  await releaseNewOfficers(rt.db)
  await followContacts(rt.db, today, CONTACT_RESUMES_DAYS)
  await workOutBelonging(rt.db, today)
  await voidTasks(rt.db, now)
  await askForRemovals(rt.db, words)
  await askForInvitations(rt.db, words)
  await requestReadingsOfMovers(rt.db, now)
  await endPassesOfMovers(rt.db, now)
  await tellKeepers(rt, notBefore)
  await tellNewcomers(rt, notBefore)
  await askForHandOvers(rt, importId, notBefore)
}

/** The composition rules of all programmes as rows. */
function rulesOf({
  templates,
  clock,
}: DomainRuntime): [MemberRuleRow[], AuditedKindRow[], ReturnType<typeof managingPairs>] {
  const rules: MemberRuleRow[] = []
  const kinds: AuditedKindRow[] = []
  for (const programme of templates.programmes)
    for (const kind of programme.groupKinds) {
      if (kind.admission !== 'audited') continue
      kinds.push({
        programme: programme.id,
        kind: kind.id,
        is_loose: kind.members.some(rule => rule.from === 'sending-units' || rule.from === 'unit-decides'),
        due_on: addDays(dayOf(clock.now()), Math.ceil(hoursToFollow(templates, programme.id) / 24)),
        source: kind.source,
      })
      for (const rule of kind.members)
        if (rule.role)
          rules.push({
            programme: programme.id,
            kind: kind.id,
            source: rule.from,
            unit_kinds: rule.unitKinds ?? null,
            roles: [...rolesMeant(programme, rule.role)],
            categories: rule.categories === undefined ? null : [...categoryNames(programme, rule.categories)],
            is_optional: rule.optional ?? false,
          })
    }
  return [rules.filter(each => followed.has(each.source)), kinds, managingPairs(templates)]
}

/** Where the roster says who they are. */
const followed: ReadonlySet<string> = new Set([
  'own-unit',
  'parent-unit',
  'child-units',
  'descendant-units',
  'contacts',
])

function hoursToFollow(templates: Templates, programmeId: string): number {
  const duty = templates.programme(programmeId).duties.find(each => each.id === 'member-change-within')
  return typeof duty?.value === 'number' ? duty.value : CHANGE_WITHIN_HOURS
}

/** One message to each owner about all their groups; for groups without one to who answers for the unit. */
async function tellKeepers(rt: DomainRuntime, notBefore: Date): Promise<void> {
  // who is asked is known before a task is written: one write for each of many thousands
  const answerers = await answerersFor(rt, await findKeepers(rt.db))
  await openTasks(rt.db, answerers, rt.clock.now())
  const news = await newsOfTasks(rt.db)
  const told = new Map<number, ChangeNews & { ownerless: number }>()
  for (const each of news) {
    const isOwnerless = each.ownerId === null
    for (const personId of isOwnerless
      ? (answerers.get(each.unitId as number) ?? [])
      : [each.ownerId as number]) {
      const before = told.get(personId)
      const ownerless = (before?.ownerless ?? 0) + (isOwnerless ? each.groups : 0)
      told.set(personId, { ...(before ? merged(before, each) : each), ownerless })
    }
  }
  await sendToPersons(
    rt,
    [...told].map(([personId, each]) => ({ personId, text: newsWords(rt, each) })),
    'task',
    notBefore,
  )
}

function merged(one: ChangeNews, other: ChangeNews): ChangeNews {
  return {
    ...one,
    groups: one.groups + other.groups,
    removals: one.removals + other.removals,
    invitations: one.invitations + other.invitations,
    toRemove: [...one.toRemove, ...other.toRemove].slice(0, LISTED),
    toInvite: [...one.toInvite, ...other.toInvite].slice(0, LISTED),
  }
}

function newsWords(rt: DomainRuntime, news: ChangeNews & { ownerless: number }): string {
  const names = (some: string[], all: number) =>
    `${some.join('、')}${all > some.length ? ` 等 ${all} 人次` : ''}`
  const lines = [
    `【人员变动】您负责的 ${news.groups} 个群${news.ownerless > 0 ? `（${news.ownerless} 个还没有群主）` : ''}要跟着名册更新：`,
    news.removals > 0 ? `· 请移出 ${news.removals} 人次：${names(news.toRemove, news.removals)}` : '',
    news.invitations > 0
      ? `· 请拉入 ${news.invitations} 人次：${names(news.toInvite, news.invitations)}`
      : '',
    '规定人员变动要及时更新群成员。系统读得到成员的群，办好后自动销号；读不到的请点“已办好”，或回复：完成 编号。',
    `全部见：${rt.publicUrl}/console/groups?state=tasks（或发送“任务”）`,
  ]
  return lines.filter(line => line !== '').join('\n')
}

/** Who has an account of ours and belongs in groups that have a way in is told it. */
async function tellNewcomers(rt: DomainRuntime, notBefore: Date): Promise<void> {
  await sendToPersons(
    rt,
    (await invitedBySelf(rt.db)).map(({ personId, unitName, groups }) => ({
      personId,
      text: [
        `【请入群】您在${unitName}，请加入：`,
        ...groups
          .slice(0, LISTED)
          .map(group =>
            group.code === null
              ? `· ${group.name}：回复“入群 ${group.id}”领取您的入群码`
              : `· ${group.name}：${group.code}`,
          ),
        groups.length > LISTED ? `……共 ${groups.length} 个群` : '',
        '入群方式只供您本人使用，请勿转发。',
      ]
        .filter(line => line !== '')
        .join('\n'),
    })),
    'task',
    notBefore,
  )
}

/** What those who are gone had charge of wants somebody else: one message to whoever answers for their unit. */
async function askForHandOvers(rt: DomainRuntime, importId: number | null, notBefore: Date): Promise<void> {
  const now = rt.clock.now()
  const dueOn = addDays(dayOf(now), handOverRules.nameWithinDays.value)
  const proposed = await proposeHandOvers(rt.db, importId, dueOn, now)
  const answerers = await answerersFor(
    rt,
    proposed.map(each => each.unitId),
  )
  const asked = new Map<number, typeof proposed>()
  for (const each of proposed)
    for (const personId of answerers.get(each.unitId) ?? [])
      if (personId !== each.personId) asked.set(personId, [...(asked.get(personId) ?? []), each])
  await sendToPersons(
    rt,
    [...asked].map(([personId, these]) => ({ personId, text: proposalWords(rt, these) })),
    'task',
    notBefore,
  )
}

function proposalWords(rt: DomainRuntime, these: Awaited<ReturnType<typeof proposeHandOvers>>): string {
  const [first] = these
  const what = (each: (typeof these)[number]) =>
    `${each.personName}（${each.unitName}${each.groups > 0 ? `，${each.groups} 个群` : ''}）`
  return [
    `【交接】名册变动后，${these.length === 1 && first ? `${what(first)}的工作` : `${these.length} 位同志的工作`}要有人接：`,
    ...(these.length === 1 ? [] : these.slice(0, LISTED).map(each => `· ${each.id}　${what(each)}`)),
    these.length > LISTED ? `……共 ${these.length} 位` : '',
    `没有人接，群里的通知和申请就没人办。请定一位接手的同志：${rt.publicUrl}/console/hand-overs${these.length === 1 && first ? `/${first.id}` : ''}，或回复：交接 ${first?.id ?? ''} 姓名`,
  ]
    .filter(line => line !== '')
    .join('\n')
}
