/** A time in which somebody stands in a unit, or is entered there ahead. */
export interface Standing {
  unitPath: string
  since: Date
  /** null: it has no end that is known. */
  until: Date | null
}

/**
 * Whether our units have had somebody at least as long as all others: they came here no later, both when they first came
 * at all and in the time without a break that leads to now. It decides who may give them a code: nobody gets hold of
 * another unit's people by entering them in a roster of their own, be it before a service begins, between two terms, or
 * because they were here years ago. Where the two disagree it is for those who have both units below them.
 */
export function hadLongest(standings: Standing[], isOurs: (unitPath: string) => boolean, now: Date): boolean {
  const ours = standings.filter(each => isOurs(each.unitPath))
  const others = standings.filter(each => !isOurs(each.unitPath))
  if (!ours.some(each => isHeld(each, now))) return false
  if (!others.some(each => isHeld(each, now))) return true
  return earliest(ours) <= earliest(others) && unbrokenSince(ours, now) <= unbrokenSince(others, now)
}

/** Whether somebody stands there now or is to; not whether they did once. */
export function isHeld({ until }: Standing, now: Date): boolean {
  return until === null || until > now
}

function earliest(standings: Standing[]): number {
  return Math.min(...standings.map(each => each.since.getTime()))
}

/** Since when one standing has followed on another without a day between, up to those that are held. */
function unbrokenSince(standings: Standing[], now: Date): number {
  let since = earliest(standings.filter(each => isHeld(each, now)))
  for (const each of standings.toSorted((a, b) => +b.since - +a.since))
    if (+each.since < since && (each.until === null || +each.until >= since)) since = +each.since
  return since
}
