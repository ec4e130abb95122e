/** A refusal as the platforms give it: HTTP 200 with an errcode. */
export class ApiError extends Error {
  readonly errcode: number
  constructor(errcode: number, message: string) {
    super(message)
    this.errcode = errcode
  }
}

export function refuse(errcode: number, message: string): never {
  throw new ApiError(errcode, message)
}
