import { refuse } from '../api-error.ts'
import type { Core, WecomApp } from '../core.ts'
import { type Department, departmentsBelow } from '../corp.ts'
import { visibleMember, visibleMembers } from '../visible.ts'
import type { PersonRecord } from '../world.ts'
import { integer, optionalText, page } from './fields.ts'
import { type ApiCall, type ApiTable, get, post } from './platform.ts'

/** Contact details stay hidden from apps made after 2022-06-20. @see developer.work.weixin.qq.com/document/path/90196 */
function readMember({ core, subject, query }: ApiCall<WecomApp>) {
  if (!query.userid) refuse(40058, 'invalid parameter: userid missing')
  return describe(visibleMember(core, subject, query.userid))
}

function describe(person: PersonRecord) {
  return {
    userid: person.wecomUserId,
    name: person.name,
    department: person.departmentIds,
    main_department: person.departmentIds[0] ?? 1,
    order: person.departmentIds.map(() => 0),
    is_leader_in_dept: person.departmentIds.map(() => 0),
    position: person.note ?? '',
    status: 1,
    enable: 1,
    isleader: 0,
    extattr: { attrs: [] },
    telephone: '',
    alias: '',
    hide_mobile: 0,
  }
}

/** One row for each department that somebody is in. @see developer.work.weixin.qq.com/document/path/96067 */
function listIds({ core, subject, body }: ApiCall<WecomApp>) {
  const limit = integer(body, 'limit', 1, 10_000, 10_000)
  const rows = visibleMembers(core, subject).flatMap(person =>
    person.departmentIds.map(department => ({ userid: person.wecomUserId, department })),
  )
  const found = page(rows, optionalText(body, 'cursor'), limit)
  return { next_cursor: found.next, dept_user: found.items }
}

function departmentOf(core: Core, value: string | undefined): number {
  const id = value === undefined || value === '' ? 1 : Number(value)
  if (!core.world.corp.departments.has(id)) refuse(60123, 'invalid department id')
  return id
}

/** Members directly in one department. */
function membersOf({ core, subject, query }: ApiCall<WecomApp>): PersonRecord[] {
  const id = departmentOf(core, query.department_id)
  return visibleMembers(core, subject).filter(person => person.departmentIds.includes(id))
}

/** The departments of the visible range: all, or those of the members in it with everything above. */
function visibleDepartments(core: Core, app: WecomApp): Set<number> {
  const { departments } = core.world.corp
  if (app.visible === undefined && core.apps.includes(app)) return new Set(departments.keys())
  const seen = new Set<number>()
  for (const person of visibleMembers(core, app))
    for (const id of person.departmentIds)
      for (let at = departments.get(id); at; at = departments.get(at.parentId)) seen.add(at.id)
  return seen
}

function departmentsFor({ core, subject, query }: ApiCall<WecomApp>): Department[] {
  const visible = visibleDepartments(core, subject)
  return departmentsBelow(core.world.corp, departmentOf(core, query.id)).filter(({ id }) => visible.has(id))
}

/** @see developer.work.weixin.qq.com/document/path/90208 */
function listDepartments(call: ApiCall<WecomApp>) {
  return {
    department: departmentsFor(call).map(({ id, name, parentId, order }) => ({
      id,
      name,
      parentid: parentId,
      order,
    })),
  }
}

function listDepartmentIds(call: ApiCall<WecomApp>) {
  return {
    department_id: departmentsFor(call).map(({ id, parentId, order }) => ({ id, parentid: parentId, order })),
  }
}

function readDepartment({ core, subject, query }: ApiCall<WecomApp>) {
  if (!query.id) refuse(40058, 'invalid parameter: id missing')
  const id = departmentOf(core, query.id)
  if (!visibleDepartments(core, subject).has(id)) refuse(60011, 'no privilege to access department')
  const { name, parentId, order } = core.world.corp.departments.get(id) as Department
  return { department: { id, name, parentid: parentId, order } }
}

export const wecomDirectory: ApiTable<WecomApp> = {
  '/cgi-bin/user/get': get(readMember),
  '/cgi-bin/user/list_id': post(listIds),
  '/cgi-bin/user/simplelist': get(call => ({
    userlist: membersOf(call).map(person => ({
      userid: person.wecomUserId,
      name: person.name,
      department: person.departmentIds,
    })),
  })),
  '/cgi-bin/user/list': get(call => ({ userlist: membersOf(call).map(describe) })),
  '/cgi-bin/department/list': get(listDepartments),
  '/cgi-bin/department/simplelist': get(listDepartmentIds),
  '/cgi-bin/department/get': get(readDepartment),
}
