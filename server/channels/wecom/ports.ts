import type { AppChatRooms } from './app-chats.ts'
import type { ContactWays } from './contact-ways.ts'
import type { CorpSharing } from './corp-sharing.ts'
import type { CustomerGroupReader } from './customer-groups.ts'
import type { Customers } from './customers.ts'
import type { Directory } from './directory.ts'
import type { JoinWays } from './join-ways.ts'
import type { WecomLogin } from './login.ts'
import type { MassMessages } from './mass-messages.ts'
import type { MediaFiles } from './media.ts'
import type { AppMessages } from './messages.ts'
import type { RobotMessages } from './robots.ts'
import type { CorpTags } from './tags.ts'
import type { Welcomes } from './welcome.ts'

/**
 * Everything that the rest of the server may ask of the WeCom app beyond what every channel can do, by subject. All of it
 * throws ChannelError, whose `reason` and `retryable` say what becomes of the call.
 */
export interface WecomPorts {
  readonly messages: AppMessages
  readonly appChats: AppChatRooms
  readonly robots: RobotMessages
  readonly groups: CustomerGroupReader
  readonly joinWays: JoinWays
  readonly mass: MassMessages
  readonly welcomes: Welcomes
  readonly customers: Customers
  readonly tags: CorpTags
  readonly contactWays: ContactWays
  readonly directory: Directory
  readonly login: WecomLogin
  readonly media: MediaFiles
  readonly sharing: CorpSharing
  readonly addresses: PlatformAddresses
}

/** The platform's own addresses, for firewalls. Entries may end in `.*`. */
export interface PlatformAddresses {
  /** Where callbacks come from; changes, so ask daily. */
  callbacks(): Promise<string[]>
  /** Where our calls go. */
  calls(): Promise<string[]>
}
