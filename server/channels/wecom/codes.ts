import type { ChannelErrorCode } from '../errors.ts'

/** From `first` to `last`, both included. */
function range(first: number, last: number, reason: ChannelErrorCode): [number, ChannelErrorCode][] {
  return Array.from({ length: last - first + 1 }, (_, index) => [first + index, reason])
}

/**
 * What WeCom's `errcode`s mean for us. Codes that are not listed are `rejected`; those listed as `rejected` are so by
 * decision.
 * @see https://developer.work.weixin.qq.com/document/path/90313
 */
export const wecomCodes: ReadonlyMap<number, ChannelErrorCode> = new Map<number, ChannelErrorCode>([
  // busy, version conflict: the same call may succeed later
  [-1, 'unreachable'],
  [6000, 'throttled'],
  // credentials: wrong secret, corp or agent, or a void token
  [40001, 'config'],
  [40013, 'config'],
  [40014, 'token'],
  [40056, 'config'],
  [41001, 'token'],
  [42001, 'token'],
  [301002, 'config'],
  // a login code that is wrong, old or used: the login begins anew
  [40029, 'rejected'],
  // members, customers and chats that are not, or no longer, there
  [40003, 'recipient'],
  [40031, 'recipient'],
  [40050, 'recipient'],
  [40096, 'recipient'],
  [50002, 'recipient'],
  [60021, 'recipient'],
  [60111, 'recipient'],
  [81013, 'recipient'],
  [84061, 'recipient'],
  [86001, 'recipient'],
  [86003, 'recipient'],
  // the request itself is wrong: escapes, a parameter, its size, nobody to send to, too many at once
  [40033, 'rejected'],
  [40058, 'rejected'],
  [40206, 'rejected'],
  [41041, 'rejected'],
  [41091, 'rejected'],
  [45002, 'rejected'],
  [81017, 'rejected'],
  [82001, 'rejected'],
  ...range(42014, 42052, 'rejected'),
  // no more contact ways and join ways fit into the corp
  [41045, 'config'],
  // mass messages: unknown, nobody reachable, still being dispatched, cancelled, reminded too often
  [41047, 'rejected'],
  [41048, 'recipient'],
  [41063, 'throttled'],
  [41093, 'rejected'],
  [41094, 'throttled'],
  // the welcome can no longer be sent: too late, talking already, another app was first
  [41050, 'rejected'],
  [41051, 'rejected'],
  [41096, 'rejected'],
  // a card can be changed once with each response code
  [60140, 'rejected'],
  // too many calls, or calls that get in each other's way
  [45009, 'throttled'],
  [45033, 'throttled'],
  [45035, 'throttled'],
  [45036, 'throttled'],
  // rights and settings that an operator gives
  [48002, 'config'],
  [48009, 'config'],
  [48010, 'config'],
  [50001, 'config'],
  [60011, 'config'],
  [60020, 'config'],
  [86008, 'config'],
  [610016, 'config'],
  [610023, 'config'],
  [670001, 'config'],
  // only the owner may; transfers of groups
  [86101, 'rejected'],
  ...range(90500, 90511, 'rejected'),
  // robots of groups: wrong or removed, not allowed there, switched off, not in the group
  [93000, 'recipient'],
  [93001, 'recipient'],
  [93004, 'recipient'],
  [93008, 'recipient'],
  [93017, 'rejected'],
  [93018, 'rejected'],
  // 微信客服: unknown account, more than five messages, after 48 hours
  [95000, 'config'],
  [95001, 'window_closed'],
  [95002, 'window_closed'],
  // 会话存档: address, expiry and licences
  [301042, 'config'],
  [301052, 'config'],
  [301053, 'config'],
  [301058, 'config'],
  [301059, 'config'],
  // 上下游: the groups of a chain are at most nine deep
  [670020, 'rejected'],
  // 智能机器人 over a socket: not connected that way, spent request ids, too fast, stream over
  [846601, 'config'],
  [846604, 'rejected'],
  [846605, 'rejected'],
  [846606, 'rejected'],
  [846607, 'throttled'],
  [846608, 'rejected'],
  [846609, 'config'],
])
