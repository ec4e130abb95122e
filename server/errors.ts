/**
 * An error that the server expects and can put into words.
 *
 * `message` is Chinese and is shown to the person; `code` (`noun.reason`) is for programs and logs.
 */
export class AppError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A rule said no: a wrong state, a missing right, bad input. Nothing has been changed. */
export class DomainError extends AppError {}

/** `rights.missing`: the person may not do this. */
export function notAllowed(what: string): DomainError {
  return new DomainError('rights.missing', `您没有权限${what}。如需办理，请联系上级组织。`)
}
