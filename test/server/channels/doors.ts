import { createAibotDoor } from '../../../server/channels/aibot/door.ts'
import type { CallbackRequest, Door, Reception, Update } from '../../../server/channels/channel.ts'
import { createOfficialAccountDoor } from '../../../server/channels/official-account/door.ts'
import { createWecomDoor } from '../../../server/channels/wecom/door.ts'
import type { OfficialAccountConfig } from '../../../server/config.ts'
import { accountSeal, NOW, type Seal, wecomSeal } from './envelopes.ts'

const services = { freshnessSeconds: 600 }

export function wecomDoor({ token, aesKey, receiveId }: Seal = wecomSeal) {
  return createWecomDoor(
    {
      baseUrl: '',
      corpId: receiveId,
      agentId: 1,
      secret: 's',
      token,
      aesKey,
      isVerified: true,
      accountCap: 200,
    },
    services,
  )
}

export function accountDoor(
  mode: OfficialAccountConfig['mode'],
  { token, aesKey, receiveId }: Seal = accountSeal,
) {
  return createOfficialAccountDoor(
    {
      baseUrl: '',
      appId: receiveId,
      secret: 's',
      token,
      aesKey: mode === 'plain' ? null : aesKey,
      mode,
      kind: 'service',
      isVerified: true,
      noticeTemplate: null,
    },
    services,
  )
}

/** A chat robot names no receiver. */
export const robotSeal: Seal = { ...wecomSeal, receiveId: '' }

export function robotDoor(userIds: 'plain' | 'encrypted' = 'plain') {
  return createAibotDoor({ token: robotSeal.token, aesKey: robotSeal.aesKey, userIds }, services)
}

export function updateOf(reception: Reception): Update {
  if (reception.kind !== 'update') throw new Error(`not an update but a ${reception.kind}`)
  return reception.update
}

export function received(door: Door, request: CallbackRequest): Update {
  return updateOf(door.receive(request, NOW))
}
