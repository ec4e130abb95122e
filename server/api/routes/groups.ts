import { groupsAfter } from '../../../db/queries/api.ts'
import { groupById } from '../../../db/queries/groups.ts'
import { unitById } from '../../../db/queries/units.ts'
import type { Runtime } from '../../runtime.ts'
import { notHere } from '../faults.ts'
import { type ApiRoutes, pageOf, type SliceQuery, unitNamed } from '../routes.ts'
import { idParam, maybeText, number, object, ofUnit, paged, slice, text, unitFilter } from '../schemas.ts'

const groupItem = object({
  id: number('群号'),
  name: text('群名称'),
  programme: text('体系'),
  kind: text('群类型'),
  kindName: text('群类型的名称'),
  platform: text('wechat 普通群、customer 客户群、internal 内部群、appchat 应用群'),
  ...ofUnit,
  ownerName: maybeText('群主姓名；null 表示没有群主'),
  size: number('人数'),
  capacity: number('上限'),
  createdAt: text('登记时间'),
  dissolvedAt: maybeText('解散时间；在用的为 null'),
})

type Row = Awaited<ReturnType<typeof groupsAfter>>[number]

/** `GET /groups`, `GET /groups/:groupId`. */
export function groupRoutes(api: ApiRoutes): void {
  api.get<SliceQuery & { unit?: string; dissolved: boolean }>('/groups', {
    tag: '群',
    summary: '群',
    scope: 'groups:read',
    query: {
      ...slice,
      unit: unitFilter,
      dissolved: { type: 'boolean', default: false, description: '也要已解散的' },
    },
    answer: { schema: paged(groupItem) },
    async handle({ rt, caller, query }) {
      const { path } = await unitNamed(rt, caller, query.unit)
      return pageOf(
        query,
        part => groupsAfter(rt.db, { path, ...part }, { withDissolved: query.dissolved }),
        row => itemOf(rt, row),
      )
    },
  })

  api.get<unknown, { groupId: number }>('/groups/:groupId', {
    tag: '群',
    summary: '一个群（已解散的也在）',
    scope: 'groups:read',
    params: { groupId: idParam('群') },
    answer: { schema: groupItem },
    async handle({ rt, caller, params }) {
      const group = await groupById(rt.db, params.groupId)
      // only by unit: the maker of the token may own groups elsewhere
      if (!group?.unitPath.startsWith(caller.unit.path)) throw notHere('群')
      const unit = await unitById(rt.db, group.unitId)
      return itemOf(rt, { ...group, unitCode: unit?.code ?? '' })
    },
  })
}

function itemOf({ templates }: Runtime, row: Row) {
  return {
    ...row,
    kindName: templates.groupKind(row.programme, row.kind).name,
    createdAt: row.createdAt.toISOString(),
    dissolvedAt: row.dissolvedAt?.toISOString() ?? null,
  }
}
