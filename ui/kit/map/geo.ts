/** Distances and places along a line; flat-earth formulas, right to a metre over the length of a round. */

import type { LonLat } from './layers.ts'

const METRES_PER_DEG = 111_320
const RAD = Math.PI / 180

/** Metres between two [lon, lat] places. */
export function metresBetween(a: LonLat, b: LonLat): number {
  const east = (b[0] - a[0]) * Math.cos(((a[1] + b[1]) / 2) * RAD)
  return Math.hypot(east, b[1] - a[1]) * METRES_PER_DEG
}

/** Compass direction from one place to another, 0 to 360 degrees. */
export function bearing_deg(from: LonLat, to: LonLat): number {
  const east = (to[0] - from[0]) * Math.cos(((from[1] + to[1]) / 2) * RAD)
  return (Math.atan2(east, to[1] - from[1]) / RAD + 360) % 360
}

export interface OnLine {
  /** Metres from the start of the line. */
  along_m: number
  /** Metres beside it. */
  off_m: number
  /** Index of the corner at or before the point. */
  corner: number
  point: LonLat
}

/** The point of the line nearest to a place, not before `from_m` along it; null for a line without length. */
export function project(line: readonly LonLat[], place: LonLat, from_m = 0): OnLine | null {
  let best: OnLine | null = null
  let walked_m = 0
  const shrink = Math.cos(place[1] * RAD)
  for (let i = 0; i + 1 < line.length; i++) {
    const [a, b] = [line[i] as LonLat, line[i + 1] as LonLat]
    const length_m = metresBetween(a, b)
    if (walked_m + length_m >= from_m && length_m > 0) {
      const [dx, dy] = [(b[0] - a[0]) * shrink, b[1] - a[1]]
      const [px, py] = [(place[0] - a[0]) * shrink, place[1] - a[1]]
      const share = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy)))
      const point: LonLat = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
      const off_m = metresBetween(point, place)
      if (!best || off_m < best.off_m) best = { along_m: walked_m + share * length_m, off_m, corner: i, point }
    }
    walked_m += length_m
  }
  return best
}

/** The line up to a point on it, and from there on. */
export function splitLine(line: readonly LonLat[], at: OnLine): { behind: LonLat[]; ahead: LonLat[] } {
  return {
    behind: [...line.slice(0, at.corner + 1), at.point],
    ahead: [at.point, ...line.slice(at.corner + 1)],
  }
}
