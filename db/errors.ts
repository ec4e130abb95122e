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

/** Whether a row was refused because one like it is there already. @param constraint the unique index meant. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const found = postgresError(error)
  return found?.code === '23505' && (constraint === undefined || found.constraint_name === constraint)
}

/**
 * What may be logged of an error. A database error's own message holds every parameter (names, phones), so only its
 * code, table and constraint are kept.
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
  const code = 'code' in error ? error.code : undefined
  return { error: error.name, code, message: error.message, at: frames(error) }
}

/** The stack without its first lines, which repeat the message. */
function frames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return stack
    .split('\n')
    .filter(line => /^\s+at /.test(line))
    .slice(0, 8)
    .map(line => line.trim())
}
