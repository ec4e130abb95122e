import type { Db } from '../../../db/client.ts'

/**
 * Gives the units of a tree groups, with an owner each: of twenty, eighteen ordinary ones, a customer group whose owner
 * has a WeCom account, and an internal one with a robot. Written by the database itself; the names are numbers.
 * @param count of groups; they are dealt out to the units that have none below them
 */
export async function nationalGroups(db: Db, programme: string, count: number, now: Date): Promise<void> {
  const at = `'${now.toISOString()}'::timestamptz`
  await db.execute(`
    insert into persons (name, name_key, sound_key, created_at)
    select '群主' || n, '群主' || n, 'qz' || n, ${at} from generate_series(1, ${count}::int) n`)
  await db.execute(`
    insert into identities (channel, address, person_id, bound_at, bound_by, is_reachable, created_at)
    select case when id % 2 = 0 then 'wecom' else 'official-account' end, 'owner' || id, id, ${at}, 'code', true, ${at}
    from persons where name like '群主%'`)
  await db.transaction(async tx => {
    await tx.execute(`
      create temporary table base on commit drop as
      select id, row_number() over (order by path) - 1 as place from units u
      where programme = '${programme}' and not exists (select from units c where c.parent_id = u.id)`)
    const [base] = await tx.execute<{ count: number }>(`select count(*)::int as count from base`)
    await tx.execute(`
      insert into groups (programme, kind, unit_id, name, platform, owner_id, chat_id, webhook_sealed, capacity, size, created_at)
      select '${programme}', 'exchange', base.id, '群' || owner.place,
        case owner.place % 20 when 0 then 'customer' when 1 then 'internal' else 'wechat' end, owner.id,
        case owner.place % 20 when 0 then 'chat' || owner.place end,
        case owner.place % 20 when 1 then 'sealed' end, 500, 40, ${at}
      from (select id, row_number() over (order by id) - 1 as place from persons where name like '群主%') owner
      join base on base.place = owner.place % ${base?.count ?? 1}::bigint
      order by base.place, owner.place`)
  })
  for (const table of ['persons', 'identities', 'groups', 'units'])
    await db.execute(`vacuum analyze ${table}`)
}
