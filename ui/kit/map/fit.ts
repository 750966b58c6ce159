/** Places on a plain ground, north up, as large as they fit. */

import type { LonLat } from './layers.ts'

export type Projection = (place: LonLat) => [number, number]

const LEAST_SPAN_DEG = 0.002

/** A projection that shows all places with `padding_px` around them, one scale in both directions. */
export function fitted(places: readonly LonLat[], width_px: number, height_px: number, padding_px: number): Projection {
  const lats = places.map((place) => place[1])
  const lons = places.map((place) => place[0])
  const mid_lat = (Math.min(...lats) + Math.max(...lats)) / 2
  const mid_lon = (Math.min(...lons) + Math.max(...lons)) / 2
  const shrink = Math.cos((mid_lat * Math.PI) / 180)
  const high = Math.max(LEAST_SPAN_DEG, Math.max(...lats) - Math.min(...lats))
  const wide = Math.max(LEAST_SPAN_DEG, Math.max(...lons) - Math.min(...lons)) * shrink
  const px_per_deg = Math.max(1, Math.min((width_px - 2 * padding_px) / wide, (height_px - 2 * padding_px) / high))
  return ([lon, lat]) => [width_px / 2 + (lon - mid_lon) * shrink * px_per_deg, height_px / 2 - (lat - mid_lat) * px_per_deg]
}
