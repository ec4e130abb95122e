/** A refusal as WeChat Pay gives it: an HTTP status with `{code, message}`. */
export class PayError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

export function refusePay(status: number, code: string, message: string): never {
  throw new PayError(status, code, message)
}

/** A field of the request has a wrong form. */
export function refuseParameter(message: string): never {
  refusePay(400, 'PARAM_ERROR', message)
}
