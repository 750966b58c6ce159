/** Lines of the fleet's map on a plain canvas, and where places fall on it. */

import type { LonLat } from '../kit/map/layers.ts'
import type { Palette } from '../kit/map/palette.ts'
import { boundsOf, type Drawing } from './drawing.ts'

const EDGE_PX = 60
/** The card lies over the lower edge. */
const BELOW_PX = 150
const NARROWEST_DEG = 0.002

/** From [lon, lat] to pixels, north up, so that all these places fit. */
export function fitting(places: readonly LonLat[], width_px: number, height_px: number): (place: LonLat) => [number, number] {
  const [[west, south], [east, north]] = boundsOf(places) ?? [[0, 0], [0, 0]]
  const middle: LonLat = [(west + east) / 2, (south + north) / 2]
  const shrink = Math.cos((middle[1] * Math.PI) / 180)
  const wide = Math.max((east - west) * shrink, NARROWEST_DEG)
  const high = Math.max(north - south, NARROWEST_DEG)
  const room_px = { wide: Math.max(50, width_px - 2 * EDGE_PX), high: Math.max(50, height_px - EDGE_PX - BELOW_PX) }
  const px_per_deg = Math.min(room_px.wide / wide, room_px.high / high)
  return ([lon, lat]) => [
    width_px / 2 + (lon - middle[0]) * shrink * px_per_deg,
    EDGE_PX + room_px.high / 2 - (lat - middle[1]) * px_per_deg,
  ]
}

export function drawLines(
  context: CanvasRenderingContext2D, drawing: Drawing, project: (place: LonLat) => [number, number], palette: Palette,
  width_px: number, height_px: number,
): void {
  context.fillStyle = palette.land
  context.fillRect(0, 0, width_px, height_px)
  context.lineJoin = 'round'
  const stroke = (line: readonly LonLat[], colour: string, width: number, dash: number[] = []): void => {
    if (line.length < 2) return
    context.beginPath()
    line.map(project).forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)))
    context.setLineDash(dash)
    context.strokeStyle = colour
    context.lineWidth = width
    context.stroke()
  }
  stroke(drawing.route, palette.road, 9)
  stroke(drawing.route, palette.route, 4.5, drawing.is_estimate ? [6, 8] : [])
  for (const closure of drawing.closures) {
    stroke(closure.line, palette.surface, 13)
    stroke(closure.line, palette.late, 2)
    stroke(closure.line, palette.late, 11, [3, 5.5])
  }
}
