/** An office that could have a slip. */
export interface SlipOffice {
  id: number
  name: string
  level: string
  path: string
  /** Who runs it, with their names. */
  readers: readonly { id: number; name: string }[]
}

/**
 * The office whose turn it is: the nearest one upward that answers slips and has somebody, beyond what the reporter does
 * not want to read it. A complaint about an office goes to one above it.
 * @param line from the place of the slip upward
 * @param beyond the path of an office that must lie below: the one complained about, or the one that has had it
 */
export function officeFor(
  line: readonly SlipOffice[],
  levels: readonly string[],
  beyond: string | null,
): SlipOffice | null {
  return (
    line.find(
      office =>
        levels.includes(office.level) &&
        office.readers.length > 0 &&
        (beyond === null || (beyond !== office.path && beyond.startsWith(office.path))),
    ) ?? null
  )
}
