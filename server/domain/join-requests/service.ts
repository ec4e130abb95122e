import type { Candidate } from './types.ts'

/** Where a roster row stands on a day, from its status and its dates. */
export type ServiceState = 'active' | 'not_started' | 'expired' | 'left'

/**
 * 在岗 within its dates is active; 在岗 past its end is expired (an extension may be missing from the roster); 待派遣 or a
 * later start has not begun; everything else has left.
 *
 * @param today `YYYY-MM-DD` in Asia/Shanghai.
 */
export function serviceState(row: Candidate, today: string): ServiceState {
  if (row.status === '待派遣') return 'not_started'
  if (row.status !== '在岗') return 'left'
  if (row.startsOn && row.startsOn > today) return 'not_started'
  if (row.endsOn && row.endsOn < today) return 'expired'
  return 'active'
}
