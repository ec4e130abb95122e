import type { OfficialAccountConfig } from '../../config.ts'
import { lacksOf } from '../capabilities.ts'
import type { OfficialAccountChannel } from '../channel.ts'
import type { ChannelServices } from '../services.ts'
import { createPlatformAddresses } from './addresses.ts'
import { createClient } from './client.ts'
import { createCustomerService } from './customer-service.ts'
import { createOfficialAccountDoor } from './door.ts'
import { createFollowers } from './followers.ts'
import { createLogin } from './login.ts'
import { createMass } from './mass.ts'
import { createMedia } from './media.ts'
import { createMenus } from './menu.ts'
import { createQrCodes } from './qr-codes.ts'
import { createQuotas } from './quotas.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createTemplates } from './templates.ts'

/** An Official Account with all it can do; `ports.ts` says what that is. */
export function createOfficialAccountChannel(
  config: OfficialAccountConfig,
  services: ChannelServices,
): OfficialAccountChannel {
  const client = createClient(config, services)
  return {
    ...createOfficialAccountDoor(config, services),
    ...createCustomerService(client),
    ...createTemplates(client),
    ...createSubscriptions(client),
    ...createMass(client),
    ...createMenus(client),
    ...createQrCodes(client),
    ...createFollowers(client),
    ...createLogin(client),
    ...createMedia(client),
    ...createQuotas(client),
    ...createPlatformAddresses(client),
    lacks: lacksOf(config),
  }
}
