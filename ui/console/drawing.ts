/** What is to be drawn on the fleet's map, whatever draws it: a value worked out from the store. */

import type { Freshness, Punctuality, StopRow, VanRoute, VanView } from '../kit/generated/console.ts'
import { metresBetween, project, splitLine } from '../kit/map/geo.ts'
import type { LonLat } from '../kit/map/layers.ts'
import { freshness, share } from './vans.ts'

export interface DrawnVan {
  van: string
  place: LonLat
  heading_deg: number | null
  freshness: Freshness
  punctuality: Punctuality
  share: number
  is_selected: boolean
  /** Shown under the sign once the news is not fresh. */
  age: string
}

export interface DrawnStop {
  stop_id: string
  place: LonLat
  number: number
}

export interface Drawing {
  vans: DrawnVan[]
  /** The way before the selected van. */
  route: LonLat[]
  is_estimate: boolean
  stops: DrawnStop[]
  /** The plate at the next door, or at the stop asked for. */
  flag: { stop_id: string; place: LonLat; number: string; is_below: boolean } | null
  closures: { closure_id: string; line: LonLat[] }[]
  /** A closure that is being drawn by hand. */
  draft: LonLat[]
}

export const placeOf = (at: { lat_deg: number; lon_deg: number }): LonLat => [at.lon_deg, at.lat_deg]

export function drawnVan(van: VanView, is_selected: boolean, now_ms: number, age: string): DrawnVan | null {
  if (!van.position) return null
  return {
    van: van.van, place: placeOf(van.position), heading_deg: van.position.heading_deg, freshness: freshness(van, now_ms),
    punctuality: van.punctuality, share: share(van), is_selected, age,
  }
}

/** The selected van's open stops after the next one, numbered as they stand in its day. */
export function drawnStops(van: VanView, stops: ReadonlyMap<string, StopRow>, without: string | null): DrawnStop[] {
  return van.stop_ids.flatMap((stop_id, i) => {
    const stop = stops.get(stop_id)
    return stop && stop_id !== without ? [{ stop_id, place: placeOf(stop), number: van.stops_done + i + 1 }] : []
  })
}

const NEAR_M = 250

/** Whether a plate hangs below its door: a van that comes from above would otherwise be covered by it. */
export function hangsBelow(stop: StopRow, van: VanView | null): boolean {
  if (!van?.position) return false
  return van.position.lat_deg > stop.lat_deg && metresBetween(placeOf(van.position), placeOf(stop)) < NEAR_M
}

const ON_THE_WAY_M = 60

/** The way from where the van is now. It was worked out some time ago, from where the van was then. */
export function ahead(route: VanRoute, van: VanView, next: StopRow | null): LonLat[] {
  if (!van.position || !next || route.line.length < 2) return route.line
  // Only the stretch to the next door counts: the same street may be driven again later.
  const door = project(route.line, placeOf(next))
  const stretch = door ? [...route.line.slice(0, door.corner + 1), door.point] : route.line
  const here = project(stretch, placeOf(van.position))
  if (!here || here.off_m > ON_THE_WAY_M) return route.line
  return splitLine(route.line, here).ahead
}

/** The corners of a box around all these, for the first look; null for none. */
export function boundsOf(places: readonly LonLat[]): [LonLat, LonLat] | null {
  if (!places.length) return null
  const lons = places.map((place) => place[0])
  const lats = places.map((place) => place[1])
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]]
}

export const lengthOf = (line: readonly LonLat[]): number =>
  line.slice(1).reduce((sum, place, i) => sum + metresBetween(line[i] as LonLat, place), 0)
