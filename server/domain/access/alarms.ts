import { type AlarmRow, alarmById } from '../../../db/queries/alarms.ts'
import type { Policy } from './policy.ts'

/** An alarm, for whoever looks after the server. */
export const alarmPolicy: Policy<AlarmRow> = {
  name: 'alarm',
  param: 'alarmId',
  async find(rt, viewer, id) {
    return viewer.isAdministrator ? alarmById(rt.db, id) : null
  },
}
