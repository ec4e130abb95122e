import { type Logger, pino } from 'pino'
import { describeError } from '../db/errors.ts'

/** The server's log. Errors lose their messages' values on the way, so that no name or number gets in. */
export function createLog(level: string): Logger {
  return pino({
    level,
    base: { name: 'qunzhen' },
    serializers: { err: describeError, req: () => undefined, res: () => undefined },
  })
}
