/** Where the van is on its route and what comes next, worked out from the route and the newest position. */

import type { ManoeuvreView, PositionView, RouteView } from '../kit/generated/cab.ts'
import type { IconName } from '../kit/icons.ts'
import { metresBetween, project, splitLine } from '../kit/map/geo.ts'
import type { LonLat } from '../kit/map/layers.ts'

export interface Ahead {
  /** The next manoeuvre; null on a route without any. */
  manoeuvre: ManoeuvreView | null
  /** Metres along the road to it. */
  distance_m: number
  /** The route behind and before the van. */
  behind: LonLat[]
  line: LonLat[]
}

/** Farther from the line than this, the van is not on it, and nothing is claimed about what comes next. */
const OFF_ROUTE_M = 80
/** A manoeuvre this close behind the van's nose is done. */
const PASSED_M = 8

/** What lies ahead; null when the van is not on the route, or either is unknown. */
export function lookAhead(route: RouteView | null, position: PositionView | null): Ahead | null {
  if (!route || !position || route.line.length < 2) return null
  const van = project(route.line, [position.lon_deg, position.lat_deg])
  if (!van || van.off_m > Math.max(OFF_ROUTE_M, position.error_m ?? 0)) return null
  const { behind, ahead } = splitLine(route.line, van)
  let from_m = 0
  for (const manoeuvre of route.manoeuvres) {
    const at = project(route.line, [manoeuvre.lon_deg, manoeuvre.lat_deg], from_m)
    if (!at) continue
    from_m = at.along_m
    const is_last = manoeuvre.type === 'arrive'
    if (manoeuvre.type !== 'depart' && (is_last || at.along_m > van.along_m + PASSED_M))
      return { manoeuvre, distance_m: Math.max(0, at.along_m - van.along_m), behind, line: ahead }
  }
  return { manoeuvre: null, distance_m: lengthOf(ahead), behind, line: ahead }
}

const lengthOf = (line: readonly LonLat[]): number =>
  line.slice(1).reduce((sum, point, i) => sum + metresBetween(line[i] as LonLat, point), 0)

export interface Arrow {
  icon: IconName
  mirrored: boolean
}

/** The arrow for a manoeuvre, by OSRM's type and modifier. */
export function arrowOf(manoeuvre: ManoeuvreView): Arrow {
  const { type, modifier } = manoeuvre
  if (type === 'arrive') return { icon: 'mapPin', mirrored: false }
  if (modifier === 'uturn') return { icon: 'uTurn', mirrored: false }
  if (modifier.startsWith('slight')) return { icon: modifier.endsWith('left') ? 'arrowUpLeft' : 'arrowUpRight', mirrored: false }
  if (modifier.endsWith('left')) return { icon: 'arrowBendUpLeft', mirrored: false }
  if (modifier.endsWith('right')) return { icon: 'arrowBendUpRight', mirrored: false }
  return { icon: 'arrowUp', mirrored: false }
}

/** What a bar across the map and the buttons under it take of its foot: the van stands above. */
export const COVERED_PX = 250

/** The closer the goal, the closer the look. */
export function zoomFor(distance_m: number | null): number {
  if (distance_m === null) return 15.5
  return distance_m < 350 ? 16.9 : distance_m < 900 ? 16.3 : 15.6
}
