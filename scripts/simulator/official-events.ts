import type { Core, OfficialAccount } from './core.ts'
import { unixSeconds } from './core.ts'
import { recordReply } from './replies.ts'
import type { Reply } from './types.ts'
import type { PersonRecord } from './world.ts'
import type { XmlFields } from './xml.ts'

const JOB_FINISH_MS = 20

/** Tells an account of something that a person did, and records the passive replies. */
export async function tellAccount(
  core: Core,
  account: OfficialAccount,
  person: PersonRecord,
  fields: XmlFields,
): Promise<Reply[]> {
  const outcome = await core.callbacks.send(eventOf(core, account, person.openId ?? '', fields))
  return outcome.replies.flatMap(reply => recordReply(core, person, 'officialAccount', reply) ?? [])
}

/** Tells an account how a job ended, a little after the call that began it. `about` makes the event when it is due. */
export function tellLater(
  core: Core,
  account: OfficialAccount,
  openId: string,
  about: () => XmlFields | Promise<XmlFields>,
): void {
  core.callbacks.later(core.options.jobFinishMs ?? JOB_FINISH_MS, async () =>
    core.callbacks.send(eventOf(core, account, openId, await about())),
  )
}

/** The openid in the events of mass messages: an administrator's, who need not be in the simulated world. */
export function administratorOf(account: OfficialAccount): string {
  return `o${account.appId.slice(2)}Administrator`.slice(0, 28)
}

function eventOf(core: Core, account: OfficialAccount, openId: string, fields: XmlFields) {
  return {
    channel: account.channel,
    fields: {
      ToUserName: account.originalId,
      FromUserName: openId,
      CreateTime: unixSeconds(core.clock.now()),
      MsgType: 'event',
      ...fields,
    },
  }
}
