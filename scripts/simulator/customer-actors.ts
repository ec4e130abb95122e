import { befriend } from './chat.ts'
import type { Core } from './core.ts'
import { mainApp, unixSeconds } from './core.ts'
import type { Relation } from './world.ts'
import type { XmlFields } from './xml.ts'

/** What staff and customers do with each other in their clients, after they became acquainted (`befriend`). */
export interface CustomerActors {
  /** Scans the code of a contact way (联系我): the first of its members becomes acquainted, and its state travels along. */
  scanContactWay(code: string, customerId: string): Promise<void>
  /** One deletes the other. */
  unfriend(staffId: string, customerId: string, by: 'staff' | 'customer'): Promise<void>
  /** Staff notes something in the client; unlike the interface this is told. */
  note(
    staffId: string,
    customerId: string,
    note: Partial<Pick<Relation, 'remark' | 'description' | 'company' | 'mobiles' | 'tagIds'>>,
  ): Promise<void>
  /** A customer who was to be handed over refuses, or has too many contacts. */
  refuseTransfer(
    staffId: string,
    customerId: string,
    reason: 'customer_refused' | 'customer_limit_exceed',
  ): Promise<void>
  /** Agrees that their conversations are archived (会话存档). */
  agreeToArchive(staffId: string, customerId: string): Promise<void>
}

export function createCustomerActors(core: Core): CustomerActors {
  const { world } = core

  function pairOf(staffId: string, customerId: string): Relation {
    const userId = world.person(staffId).wecomUserId
    const known = world.relations.get(world.memberIdOf(world.person(customerId), 'customer')) ?? []
    const relation = known.find(each => each.userId === userId)
    if (!relation)
      throw new Error(`${world.person(customerId).name} is no customer of ${world.person(staffId).name}`)
    return relation
  }
  async function tell(changeType: string, relation: Relation, more: XmlFields = {}): Promise<void> {
    const { channel } = mainApp(core)
    core.log.add('customer_change', { changeType, userId: relation.userId })
    await core.callbacks.send({
      channel,
      fields: {
        ToUserName: channel.toUserName,
        FromUserName: 'sys',
        CreateTime: unixSeconds(core.clock.now()),
        MsgType: 'event',
        Event: 'change_external_contact',
        ChangeType: changeType,
        UserID: relation.userId,
        ExternalUserID: relation.externalUserId,
        ...more,
      },
    })
  }

  return {
    async scanContactWay(code, customerId) {
      const ways = [...world.corp.contactWays.values()]
      const way = ways.find(one => one.configId === code || one.qrCode === code)
      const staff = way && world.byUserId(way.userIds[0] ?? '')
      if (!staff) throw new Error('这个二维码无效或已失效')
      await befriend(core, staff.id, customerId, {
        addWay: 1,
        isHalf: !way.skipVerify,
        ...(way.state === '' ? {} : { state: way.state }),
      })
    },
    async unfriend(staffId, customerId, by) {
      const relation = pairOf(staffId, customerId)
      const known = world.relations.get(relation.externalUserId) ?? []
      world.relations.set(
        relation.externalUserId,
        known.filter(each => each !== relation),
      )
      await tell(by === 'staff' ? 'del_external_contact' : 'del_follow_user', relation)
    },
    async note(staffId, customerId, note) {
      const relation = pairOf(staffId, customerId)
      Object.assign(relation, note)
      await tell('edit_external_contact', relation)
    },
    refuseTransfer: (staffId, customerId, reason) =>
      tell('transfer_fail', pairOf(staffId, customerId), { FailReason: reason }),
    agreeToArchive: (staffId, customerId) => tell('msg_audit_approved', pairOf(staffId, customerId)),
  }
}
