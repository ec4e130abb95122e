import type { Core } from './core.ts'
import { BY_CODE, CAPACITY, createGroup, joinGroup } from './groups.ts'
import type { SimGroup } from './types.ts'
import type { JoinWay } from './world.ts'

/** Somebody scans the code of a join way: the first group with room takes them, or a new one is made. */
export async function joinByCode(core: Core, code: string, personId: string): Promise<SimGroup> {
  const way = findJoinWay(core, code)
  if (!way) throw new Error('这个二维码无效或已失效')
  const groups = [...way.chatIdList, ...way.openedIds].flatMap(id => {
    const group = core.world.groups.get(id)
    return group && !group.dismissed ? [group] : []
  })
  const already = groups.find(group => group.members.has(personId))
  if (already) return already
  const room = groups.find(group => !core.limits.has('groupCapacity') || group.members.size < CAPACITY.byCode)
  const group = room ?? openNextRoom(core, way, groups)
  await joinGroup(core, group.id, personId, {
    scene: BY_CODE,
    ...(way.state === '' ? {} : { state: way.state }),
  })
  return group
}

function openNextRoom(core: Core, way: JoinWay, groups: SimGroup[]): SimGroup {
  const last = groups[groups.length - 1]
  if (way.autoCreateRoom !== 1 || !last) throw new Error('群聊已满，暂时无法加入')
  const name = `${way.roomBaseName || last.name}${way.roomBaseId}`
  way.roomBaseId += 1
  const group = createGroup(core, { kind: 'customer', name, ownerId: last.ownerId })
  way.openedIds.push(group.id)
  return group
}

function findJoinWay(core: Core, code: string): JoinWay | undefined {
  const direct = core.world.joinWays.get(code)
  if (direct) return direct
  for (const way of core.world.joinWays.values())
    if (way.qrCode === code || (way.state !== '' && way.state === code)) return way
  return undefined
}
