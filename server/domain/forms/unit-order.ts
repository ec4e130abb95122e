interface Placed {
  id: number
  code: string
  parentId: number | null
}

/** The children of each unit, in the order of their codes. */
export function childrenOf<Unit extends Placed>(units: readonly Unit[]): (unitId: number) => readonly Unit[] {
  const children = Map.groupBy(inOrder(units), unit => unit.parentId)
  return unitId => children.get(unitId) ?? []
}

/** Units in the order of their codes: the order of a database depends on its language. */
export function inOrder<Unit extends Omit<Placed, 'parentId'>>(units: readonly Unit[]): Unit[] {
  return [...units].sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : a.id - b.id))
}

/** An office by its full name: units of the volunteers' programme bear the place's name alone, or the office's. */
export function officeName(unitName: string, office: string): string {
  return unitName.endsWith(office) ? unitName : `${unitName}${office}`
}

/** The place that an office is of. */
export function placeName(unitName: string, office: string): string {
  const place = unitName.endsWith(office) ? unitName.slice(0, -office.length) : unitName
  return place === '' ? unitName : place
}
