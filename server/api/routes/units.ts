import { unitsAfter } from '../../../db/queries/api.ts'
import type { UnitRow } from '../../../db/queries/units.ts'
import type { Runtime } from '../../runtime.ts'
import { type ApiRoutes, pageOf, type SliceQuery, unitNamed } from '../routes.ts'
import { maybeNumber, number, object, paged, slice, text, unitFilter, unitName } from '../schemas.ts'

const unitItem = object({
  id: number('编号'),
  code: text('编码'),
  name: text('名称'),
  programme: text('体系'),
  kind: text('单位类型'),
  kindName: text('单位类型的名称'),
  level: text('层级'),
  levelName: text('层级的名称'),
  parentId: maybeNumber('上级单位的编号；令牌自己的单位为 null'),
})

/** `GET /units`, `GET /units/:unit`. */
export function unitRoutes(api: ApiRoutes): void {
  api.get<SliceQuery & { parent?: string; level?: string }>('/units', {
    tag: '单位',
    summary: '单位：令牌的单位和所有下级',
    scope: 'units:read',
    query: {
      ...slice,
      parent: { ...unitFilter, description: '只要这个单位的直接下级：单位编码或编号' },
      level: { type: 'string', maxLength: 40, description: '只要这一层级的，如 county' },
    },
    answer: { schema: paged(unitItem) },
    async handle({ rt, caller, query }) {
      const parent = query.parent === undefined ? undefined : await unitNamed(rt, caller, query.parent)
      const filter = {
        ...(parent ? { parentId: parent.id } : {}),
        ...(query.level === undefined ? {} : { level: query.level }),
      }
      return pageOf(
        query,
        part => unitsAfter(rt.db, { path: caller.unit.path, ...part }, filter),
        unit => itemOf(rt, caller.unit, unit),
      )
    },
  })

  api.get<unknown, { unit: string }>('/units/:unit', {
    tag: '单位',
    summary: '一个单位',
    scope: 'units:read',
    params: { unit: unitName },
    answer: { schema: unitItem },
    async handle({ rt, caller, params }) {
      return itemOf(rt, caller.unit, await unitNamed(rt, caller, params.unit))
    },
  })
}

function itemOf({ templates }: Runtime, top: UnitRow, unit: UnitRow) {
  return {
    id: unit.id,
    code: unit.code,
    name: unit.name,
    programme: unit.programme,
    kind: unit.kind,
    kindName: templates.unitKind(unit.programme, unit.kind).name,
    level: unit.level,
    levelName: templates.level(unit.programme, unit.level).name,
    parentId: unit.id === top.id ? null : unit.parentId,
  }
}
