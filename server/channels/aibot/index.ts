import type { AibotConfig } from '../../config.ts'
import type { AibotChannel } from '../channel.ts'
import type { ChannelServices } from '../services.ts'
import { createAibotDoor } from './door.ts'
import { fetchRobotMedia } from './media.ts'
import { respondOnce } from './respond.ts'

/**
 * The chat robot of the corp (智能机器人): it answers when spoken to and has no other interface.
 * @param baseUrl WeCom's, as configured
 */
export function createAibotChannel(
  config: AibotConfig,
  baseUrl: string,
  services: Pick<ChannelServices, 'freshnessSeconds' | 'trace'>,
): AibotChannel {
  return {
    ...createAibotDoor(config, services),
    respond: (responseUrl, markdown) => respondOnce({ ...services, baseUrl }, responseUrl, markdown),
    fetchMedia: (address, maxBytes) =>
      fetchRobotMedia({ ...services, baseUrl, aesKey: config.aesKey }, address, maxBytes),
  }
}
