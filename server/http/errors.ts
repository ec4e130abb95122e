import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { describeError } from '../../db/errors.ts'
import { ChannelError, type ChannelErrorCode } from '../channels/errors.ts'
import { AppError, DomainError } from '../errors.ts'

const channelStatus: Partial<Record<ChannelErrorCode, number>> = { signature: 401, malformed: 400 }

/** The HTTP status of an error: the only place that knows. */
export function statusOf(error: unknown): number {
  if (error instanceof ChannelError) return channelStatus[error.reason] ?? 502
  if (error instanceof AppError) return 422
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}

/**
 * What is said of an error. Only a rule's own words go out: what was wrong with a callback would help whoever forges one.
 */
export function errorBody(error: unknown): { code: string; message: string } {
  const isRefused = statusOf(error) < 500
  return {
    code: error instanceof AppError ? error.code : isRefused ? 'request.refused' : 'server.error',
    message:
      error instanceof DomainError ? error.message : isRefused ? '请求不合要求' : '服务器出错，请稍后再试',
  }
}

/** Answers an error with its code. */
export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  return reply.code(statusOf(error)).send(errorBody(error))
}

/** Puts an error down: our own faults as such, what was refused by the way. Never with the address, which holds secrets. */
export function logError(
  log: FastifyBaseLogger,
  request: { method: string; route: string },
  error: unknown,
): void {
  const about = { ...request, ...describeError(error) }
  if (statusOf(error) >= 500) log.error(about, 'a request failed')
  else log.info(about, 'a request was refused')
}

/** The pattern of the route, never the address asked for: that holds signatures in its query and tokens in its path. */
export function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? '(none)'
}
