import type { FastifyReply } from 'fastify'
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
 * Answers an error with its code. Only a rule's own words go out: what was wrong with a callback would help whoever
 * forges one.
 */
export function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  const status = statusOf(error)
  const code = error instanceof AppError ? error.code : status < 500 ? 'request.refused' : 'server.error'
  const message =
    error instanceof DomainError ? error.message : status < 500 ? '请求不合要求' : '服务器出错，请稍后再试'
  return reply.code(status).send({ code, message })
}
