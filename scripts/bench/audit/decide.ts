import { groupById } from '../../../db/queries/groups.ts'
import type { Actor } from '../../../server/domain/actor.ts'
import { findCandidates } from '../../../server/domain/join-requests/find-candidates.ts'
import { judgeJoinRequest } from '../../../server/domain/join-requests/judge.ts'
import { readClaims } from '../../../server/domain/join-requests/read-claims.ts'
import { submitJoinRequest } from '../../../server/domain/join-requests/submit.ts'
import { type DomainRuntime, inTransaction } from '../../../server/runtime.ts'
import { type AuditPart, auditTarget, shownOnly } from './part.ts'

const REQUESTS = 4000
/** Not counted: the first build statements and fill caches. */
const WARM_UP = 400
const DECISION_MS = 10

/** Somebody of the roster, as the bench writes requests about them. */
interface Known {
  personId: number
  unitId: number
  name: string
  phone: string
  idNumber: string
}

/** How requests are written, by turns: of each kind of outcome some, in the proportions of a busy autumn. */
const texts: ((of: Known, other: Known, turn: number) => string)[] = [
  of => `我是${of.name}，手机${of.phone}，申请入群`,
  of => `姓名：${of.name}\n电话：${of.phone.replace(/(...)(....)(....)/, '$1-$2-$3')}`,
  of => `${of.name} ${of.phone}`,
  of => `${of.name}，身份证号 ${of.idNumber}`,
  of => `老师好，我是新来的志愿者${of.name}，身份证后六位${of.idNumber.slice(-6)}，麻烦通过一下`,
  of => `我叫${of.name}`,
  of => `${of.name} ${of.phone.slice(0, -1)}${(Number(of.phone.at(-1)) + 1) % 10}`,
  (_of, _other, turn) => `欧阳长风 1990000${String(turn % 10_000).padStart(4, '0')}`,
  (_of, other) => `${other.name} ${other.phone}`,
  of =>
    `大家好，我是今年西部计划的志愿者${of.name}，服务单位在镇上的中学，想申请加入咱们团支部的微信群，方便以后看通知，谢谢老师，辛苦了`,
]

/**
 * Join requests against the whole roster: how long it takes to read one, find whom it may mean and judge it, and how long
 * until it is stored with all that follows and committed.
 */
export const decide: AuditPart = async stage => {
  const { rt } = await stage.loadedRoster()
  stage.say(`deciding ${REQUESTS} join requests`)
  const known = await somebody(rt)
  const branches = await makeGroups(rt, 'branch', 'volunteer-branch', [
    ...new Set(known.map(each => each.unitId)),
  ])
  const actors = await makeActors(rt, REQUESTS)
  const decisions: number[] = []
  const requests: number[] = []
  const outcomes = new Map<string, number>()
  try {
    for (const [turn, actor] of actors.entries()) {
      const of = known[turn % known.length] as Known
      const other = known[(turn * 7 + 13) % known.length] as Known
      const group = await groupById(rt.db, branches.get(of.unitId) as number)
      const text = texts[turn % texts.length]?.(of, other, turn) ?? ''
      if (!group) throw new Error('a group is missing')

      const started = performance.now()
      const claims = readClaims(text)
      const candidates = await inTransaction(rt, tx => findCandidates(tx, actor, group, claims))
      judgeJoinRequest({
        request: { text, at: rt.clock.now(), senderAccount: actor.address },
        claims,
        candidates,
        senderIs: null,
      })
      const decided = performance.now()
      const { decision } = await inTransaction(rt, tx => submitJoinRequest(tx, actor, group, text))
      const stored = performance.now()
      if (turn < WARM_UP) continue
      decisions.push(decided - started)
      requests.push(stored - decided)
      outcomes.set(decision, (outcomes.get(decision) ?? 0) + 1)
    }
  } finally {
    await cleanUp(rt, [...branches.values()], actors)
  }
  for (const outcome of ['approved', 'referred', 'rejected'])
    if (!outcomes.has(outcome)) throw new Error(`no request was ${outcome}: nothing was measured`)
  stage.say([...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', '))
  return [
    auditTarget('join decision, p99 ms', quantile(decisions, 0.99), '<', DECISION_MS),
    shownOnly('join decision, p50 ms', quantile(decisions, 0.5)),
    shownOnly('join request with all that follows, committed, p99 ms', quantile(requests, 0.99)),
    shownOnly('join request with all that follows, committed, p50 ms', quantile(requests, 0.5)),
  ]
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Members of branches all over the roster. */
async function somebody(rt: DomainRuntime): Promise<Known[]> {
  const rows = await rt.db.execute<{
    person_id: string
    unit_id: string
    name: string
    phone_sealed: string
    id_number_sealed: string
  }>(`
    select e.person_id, e.unit_id, p.name, p.phone_sealed, p.id_number_sealed
    from (select id, person_id, unit_id from roster_entries tablesample bernoulli (0.25)
      where programme = 'xibu' and gone_import_id is null and role = 'volunteer' limit 2500) e
    join persons p on p.id = e.person_id
    where p.phone_sealed is not null and p.id_number_sealed is not null
    order by md5(e.id::text)`)
  if (rows.length < 1000) throw new Error('the roster is too small to be decided against')
  return [...rows].map(row => ({
    personId: Number(row.person_id),
    unitId: Number(row.unit_id),
    name: row.name,
    phone: rt.vault.open(row.phone_sealed),
    idNumber: rt.vault.open(row.id_number_sealed),
  }))
}

/** A group for each unit. @returns the groups by unit */
async function makeGroups(
  rt: DomainRuntime,
  kind: string,
  unitKind: string,
  unitIds: number[],
): Promise<Map<number, number>> {
  const rows = await rt.db.execute<{ id: string; unit_id: string }>(`
    insert into groups (programme, kind, unit_id, name, platform, join_code, capacity, size, created_at)
    select programme, '${kind}', id, name || '群', 'wechat', 'https://example.cn/bench', 200, 3, now() from units
    where id in (${unitIds.join(',')}) and kind = '${unitKind}' returning id, unit_id`)
  return new Map([...rows].map(row => [Number(row.unit_id), Number(row.id)]))
}

/** Accounts that nobody knows, one for each request: nobody asks eight times. */
async function makeActors(rt: DomainRuntime, count: number): Promise<Actor[]> {
  const rows = await rt.db.execute<{ id: string; address: string }>(`
    insert into identities (channel, address, created_at)
    select 'official-account', 'bench-decide-' || n, now() from generate_series(1, ${count}) n returning id, address`)
  return [...rows].map(row => ({
    identityId: Number(row.id),
    channel: 'official-account',
    address: row.address,
    person: null,
    roles: [],
    ownsGroups: false,
    boundBy: null,
  }))
}

/** The roster is for the other parts, too. */
async function cleanUp(rt: DomainRuntime, groupIds: number[], actors: Actor[]): Promise<void> {
  const groups = groupIds.join(',')
  const accounts = actors.map(actor => actor.identityId).join(',')
  for (const statement of [
    `delete from join_decisions where request_id in (select id from join_requests where group_id in (${groups}))`,
    `delete from join_requests where group_id in (${groups})`,
    `delete from tasks where group_id in (${groups})`,
    `delete from group_members where group_id in (${groups})`,
    `delete from outgoing_messages where identity_id in (${accounts}) or group_id in (${groups}) or purpose = 'review'`,
    `delete from attempts where key like 'join:%' or key like 'targeted:%' or key like 'flood:%'`,
    `delete from groups where id in (${groups})`,
    `delete from identities where id in (${accounts})`,
  ])
    await rt.db.execute(statement)
}
