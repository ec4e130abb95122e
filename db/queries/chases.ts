import { sql } from 'drizzle-orm'
import { batchedOn } from '../batch.ts'
import { compiledSql } from '../compiled.ts'
import type { NoticeAsk } from '../schema/index.ts'
import type { Route } from './cascade.ts'

/** A delivery that a message asks somebody about, as it is when the message goes out. */
export interface ChasedDelivery {
  route: Route
  groupId: number
  groupName: string
  unitName: string
  ownerName: string | null
  /** The group of whoever is asked; another's, which they were asked to see to, where false. */
  isOwn: boolean
  /** Something is still to be done about it, by whoever is asked. */
  isOpen: boolean
  /** The unit has answered what the notice asks. */
  hasAnswered: boolean
  notice: { id: number; unitName: string; deadlineAt: Date; ask: NoticeAsk | null }
}

const selectChased = compiledSql<{
  outgoing_id: string
  route: Route
  group_id: string
  group_name: string
  unit_name: string
  owner_name: string | null
  is_own: boolean
  is_open: boolean
  has_answered: boolean
  notice_id: string
  notice_unit: string
  deadline_at: string
  ask: NoticeAsk | null
}>(sql`
  select o.id as outgoing_id, d.route, g.id as group_id, g.name as group_name, u.name as unit_name,
    p.name as owner_name, d.owner_id is not distinct from o.person_id as is_own,
    d.status not in ('posted', 'withdrawn') and g.dissolved_at is null and n.withdrawn_at is null
      and (d.owner_id = o.person_id
        or exists (select from delivery_asks k where k.delivery_id = d.id and k.person_id = o.person_id))
      -- what corrects it is asked after in its place
      and not exists (select from notices c join deliveries cd on cd.notice_id = c.id and cd.group_id = d.group_id
        where c.about_id = coalesce(n.about_id, n.id) and c.kind = 'correction' and c.id > n.id)
      -- it is for those who have not answered another, and they have
      and not (n.audience ? 'unansweredOf' and exists (select from notice_answers a
        where a.notice_id = (n.audience ->> 'unansweredOf')::bigint and a.unit_id = g.unit_id
          and a.replaced_at is null)) as is_open,
    n.ask is not null and exists (select from notice_answers a
      where a.notice_id = n.id and a.unit_id = g.unit_id and a.replaced_at is null) as has_answered,
    n.id as notice_id, nu.name as notice_unit, n.deadline_at, n.ask
  from outgoing_messages o
  cross join lateral jsonb_array_elements_text(o.chases) with ordinality as chased (delivery_id, place)
  join deliveries d on d.id = chased.delivery_id::bigint
  join notices n on n.id = d.notice_id join units nu on nu.id = n.unit_id
  join groups g on g.id = d.group_id join units u on u.id = g.unit_id
  left join persons p on p.id = d.owner_id
  where o.id = any(${sql.placeholder('outgoingIds')}::bigint[])
  order by o.id, chased.place`)

/** What messages ask about, in the order in which it was written down. Those that ask at the same time are answered together. */
export const chasedBy = batchedOn(async (db, outgoingIds: number[]): Promise<ChasedDelivery[][]> => {
  const rows = await selectChased(db, { outgoingIds: [...new Set(outgoingIds)] })
  const ofMessage = Map.groupBy([...rows], row => Number(row.outgoing_id))
  return outgoingIds.map(outgoingId =>
    (ofMessage.get(outgoingId) ?? []).map(row => ({
      route: row.route,
      groupId: Number(row.group_id),
      groupName: row.group_name,
      unitName: row.unit_name,
      ownerName: row.owner_name,
      isOwn: row.is_own,
      isOpen: row.is_open,
      hasAnswered: row.has_answered,
      notice: {
        id: Number(row.notice_id),
        unitName: row.notice_unit,
        deadlineAt: new Date(row.deadline_at),
        ask: row.ask,
      },
    })),
  )
})
