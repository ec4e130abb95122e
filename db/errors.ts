interface PostgresError {
  code: string
  constraint_name?: string
  table_name?: string
}

function postgresError(error: unknown): PostgresError | null {
  for (let at = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code))
      return at as unknown as PostgresError
  return null
}

/** The code with which PostgreSQL refused, such as `55P03`; null for any other error. */
export function refusalCode(error: unknown): string | null {
  return postgresError(error)?.code ?? null
}

/**
 * What may be logged of an error. A database error's message holds every parameter and a parser's quotes its input
 * (names, phones), so a message is kept only where the error carries a code: those are written by us or by Node.
 */
export function describeError(error: unknown): Record<string, unknown> {
  const found = postgresError(error)
  if (found)
    return {
      database: found.code,
      table: found.table_name,
      constraint: found.constraint_name,
      at: frames(error),
    }
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { error: error.name, ...(code ? { code, message: error.message } : {}), at: frames(error) }
}

/** The stack without its head, which repeats the message. */
function frames(error: unknown): string[] {
  if (!(error instanceof Error)) return []
  const stack = (error.stack ?? '').replace(error.message, '')
  return stack
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .slice(0, 8)
    .map(line => line.trim())
}
