import type { FastifyError } from 'fastify'
import { AppError, DomainError } from '../errors.ts'
import { statusOf } from '../http/errors.ts'

/** An answer of the interface that is not what was asked for: a status, a code for programs, and Chinese words. */
export class ApiFault extends AppError {
  readonly status: number
  readonly headers: Record<string, string>
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

/** Nothing here, or nothing that the token reaches: one answer for both. */
export function notHere(what: string): ApiFault {
  return new ApiFault(404, 'not_found', `没有这个${what}，或不在令牌的范围内。`)
}

export interface Fault {
  status: number
  code: string
  message: string
  headers: Record<string, string>
}

/** What an error is answered with. */
export function faultOf(error: unknown): Fault {
  if (error instanceof ApiFault)
    return { status: error.status, code: error.code, message: error.message, headers: error.headers }
  if (error instanceof DomainError)
    return { status: 422, code: error.code, message: error.message, headers: {} }
  const { validation, validationContext } = error as FastifyError
  if (validation?.[0])
    return {
      status: 400,
      code: 'request.invalid',
      message: sayInvalid(validation[0], validationContext),
      headers: {},
    }
  const status = statusOf(error)
  const [code, message] = plain[status] ?? (status < 500 ? refused : failed)
  return { status, code, message, headers: {} }
}

const refused = ['request.refused', '请求不合要求，没有办理。'] as const
const failed = ['server.error', '服务器出错，没有办成。请稍后再试。'] as const
const plain: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['request.malformed', '请求读不懂：正文不是正确的 JSON。'],
  413: ['request.too_large', '正文太大。'],
  415: ['request.type', '不支持这种 Content-Type。'],
}

const places: Readonly<Record<string, string>> = {
  querystring: '参数',
  params: '地址里的',
  headers: '请求头',
  body: '字段',
}

type Invalid = NonNullable<FastifyError['validation']>[number]

/** One fault of a request, with the name of the field. */
function sayInvalid(fault: Invalid, context: string | undefined): string {
  const { keyword, params, instancePath } = fault
  const field =
    instancePath.slice(1).replaceAll('/', '.') ||
    String(params.missingProperty ?? params.additionalProperty ?? '')
  const name = `${places[context ?? ''] ?? ''} ${field || '正文'} `.trimStart()
  switch (keyword) {
    case 'required':
      return `缺少${name.trimEnd()}。`
    case 'enum':
      return `${name}只能是：${(params.allowedValues as unknown[]).join('、')}。`
    case 'minimum':
    case 'maximum':
      return `${name}要${keyword === 'minimum' ? '不小于' : '不大于'} ${params.limit}。`
    case 'minLength':
    case 'maxLength':
      return `${name}要${keyword === 'minLength' ? '至少' : '最多'} ${params.limit} 个字。`
    case 'type':
      return `${name}的类型不对，应是 ${params.type}。`
    default:
      return `${name}的格式不对。`
  }
}
