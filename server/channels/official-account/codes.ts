import type { ChannelErrorCode } from '../errors.ts'

/**
 * The Official Account's `errcode`s that mean something particular. All others are `rejected`: what was sent is wrong and
 * would be wrong again.
 * @see https://developers.weixin.qq.com/doc/service/guide/dev/errcode.html
 */
export const officialAccountCodes: ReadonlyMap<number, ChannelErrorCode> = new Map([
  // busy
  [-1, 'unreachable'],

  // the access token; a wrong secret answers 40001 as well, which `stable-token.ts` tells apart
  [40001, 'token'],
  [40014, 'token'],
  [41001, 'token'],
  [42001, 'token'],

  // the account's settings: an operator must act
  [40002, 'config'],
  [40013, 'config'],
  [40037, 'config'],
  [40125, 'config'],
  // the caller's address is not on the list, or waits for an administrator's word
  [40164, 'config'],
  [89503, 'config'],
  [89506, 'config'],
  [89507, 'config'],
  // the secret is frozen
  [40243, 'config'],
  [41002, 'config'],
  [41004, 'config'],
  // no permission, or the permission was taken away as a punishment
  [48001, 'config'],
  [48004, 'config'],
  [50002, 'config'],

  // this person
  [40003, 'recipient'],
  [43004, 'recipient'],
  [43019, 'recipient'],
  [48002, 'recipient'],
  [50005, 'recipient'],

  // not now; it opens again when the person writes, or agrees to one more notice
  [43101, 'window_closed'],
  [45015, 'window_closed'],
  [45047, 'window_closed'],

  // the day's quota, the minute's, mass messages', one idempotency number tried too fast, resets of the quota
  [45009, 'throttled'],
  [45011, 'throttled'],
  [45028, 'throttled'],
  [45066, 'throttled'],
  [48006, 'throttled'],

  // a login code that is unknown, old or used: the person must begin again
  [40029, 'rejected'],
  [40163, 'rejected'],
  // an idempotency number that is known (`mass.ts` takes it as success) or too long
  [45065, 'rejected'],
  [45067, 'rejected'],
])
