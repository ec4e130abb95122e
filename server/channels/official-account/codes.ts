import type { ChannelErrorCode } from '../errors.ts'

/** The Official Account's `errcode`s that mean something particular. */
export const officialAccountCodes: ReadonlyMap<number, ChannelErrorCode> = new Map([
  [-1, 'unreachable'],
  [40001, 'token'],
  [40003, 'recipient'],
  [40013, 'config'],
  [40014, 'token'],
  [40037, 'config'],
  [40125, 'config'],
  [40164, 'config'],
  [41001, 'token'],
  [42001, 'token'],
  [43004, 'recipient'],
  [43019, 'recipient'],
  [45009, 'throttled'],
  [45011, 'throttled'],
  [45015, 'window_closed'],
  [45047, 'window_closed'],
  [48001, 'config'],
  [48002, 'recipient'],
  [48004, 'config'],
  [50002, 'config'],
  [50005, 'recipient'],
])
