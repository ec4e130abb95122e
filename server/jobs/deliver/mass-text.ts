import { identitiesToReach } from '../../../db/queries/identities.ts'
import { ChannelError } from '../../channels/errors.ts'
import { textLimits } from '../../channels/text.ts'
import type { Runtime } from '../../runtime.ts'
import { type Content, textWithin } from './content.ts'
import type { Message } from './message.ts'

/** Who is to confirm a mass task, and what it says: by both it is found again on the platform. */
export async function massText(
  rt: Runtime,
  message: Message,
  { texts }: Content,
): Promise<{ sender: string; text: string }> {
  const owner = (await identitiesToReach(rt.db, message.personId as number)).find(
    account => account.channel === 'wecom',
  )
  if (!owner) throw new ChannelError('recipient', '群主没有绑定企业微信')
  return {
    sender: owner.address,
    text: await textWithin(rt, message.personId, texts.join('\n'), textLimits.mass),
  }
}
