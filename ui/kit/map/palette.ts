/** The map's colours, read from the tokens, so that both themes and both kinds of map draw with the same roles. */

const ROLES = {
  land: '--map-land', building: '--map-building', road: '--map-road', foot: '--map-foot', park: '--map-park',
  water: '--map-water', name: '--map-name', line: '--line', route: '--route', travelled: '--travelled', ink: '--ink',
  ink2: '--ink2', surface: '--surface', plate: '--plate', onPlate: '--on-plate', late: '--late', watch: '--watch',
  done: '--done', edge: '--edge',
} as const

export type Palette = Record<keyof typeof ROLES, string>

/** The palette of the theme that is on now. */
export function readPalette(root: Element = document.documentElement): Palette {
  const styles = getComputedStyle(root)
  const entries = Object.entries(ROLES).map(([role, token]) => [role, styles.getPropertyValue(token).trim()])
  return Object.fromEntries(entries) as Palette
}
