/** The map without WebGL or without a map pack: route, van and stops on a plain canvas, heading up. Never a blank square. */

import type { LonLat } from './layers.ts'
import type { Palette } from './palette.ts'

export interface PlainPicture {
  van: { place: LonLat; heading_deg: number | null } | null
  line: readonly LonLat[]
  onward: readonly LonLat[]
  target: LonLat | null
}

const METRES_PER_DEG = 111_320

/** How a place lands on the canvas: the van low and right of the middle (panel and buttons take the left), its heading up, the target always in sight. */
export function plainProjection(picture: PlainPicture, width_px: number, height_px: number): (place: LonLat) => [number, number] {
  const centre = picture.van?.place ?? picture.target ?? picture.line[0] ?? [0, 0]
  const turn = ((picture.van?.heading_deg ?? 0) * Math.PI) / 180
  const shrink = Math.cos((centre[1] * Math.PI) / 180)
  const metres = (place: LonLat): [number, number] => {
    const east = (place[0] - centre[0]) * shrink * METRES_PER_DEG
    const north = (place[1] - centre[1]) * METRES_PER_DEG
    return [east * Math.cos(turn) - north * Math.sin(turn), east * Math.sin(turn) + north * Math.cos(turn)]
  }
  const [right_m, up_m] = picture.target ? metres(picture.target) : [0, 100]
  const room = Math.min((width_px * 0.36) / Math.max(60, Math.abs(right_m)), (height_px * 0.55) / Math.max(80, Math.abs(up_m)))
  const px_per_m = Math.min(room, 2.5)
  // A target behind the van needs the room below it.
  const base_px = up_m < -30 ? height_px * 0.4 : height_px * 0.72
  return (place) => {
    const [x_m, y_m] = metres(place)
    return [width_px * 0.6 + x_m * px_per_m, base_px - y_m * px_per_m]
  }
}

function stroke(context: CanvasRenderingContext2D, points: [number, number][], colour: string, width_px: number): void {
  if (points.length < 2) return
  context.beginPath()
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)))
  context.strokeStyle = colour
  context.lineWidth = width_px
  context.stroke()
}

/** Draw it all; the canvas is `width_px` by `height_px` in CSS pixels, already scaled. */
export function drawPlain(
  context: CanvasRenderingContext2D, picture: PlainPicture, palette: Palette, width_px: number, height_px: number,
): void {
  const project = plainProjection(picture, width_px, height_px)
  context.fillStyle = palette.land
  context.fillRect(0, 0, width_px, height_px)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  const onward = picture.onward.map(project)
  stroke(context, onward, palette.road, 16)
  context.globalAlpha = 0.45
  stroke(context, onward, palette.route, 10)
  context.globalAlpha = 1
  // Without a line there is still the straight direction, dashed because it is no road.
  const straight = picture.van && picture.target ? [picture.van.place, picture.target] : []
  if (picture.line.length > 1) {
    const line = picture.line.map(project)
    stroke(context, line, palette.road, 20)
    stroke(context, line, palette.route, 14)
  } else {
    context.setLineDash([2, 18])
    stroke(context, straight.map(project), palette.route, 8)
    context.setLineDash([])
  }
  if (picture.target) {
    const [x, y] = project(picture.target)
    context.fillStyle = palette.plate
    context.strokeStyle = palette.onPlate
    context.lineWidth = 3
    context.beginPath()
    context.arc(x, y, 12, 0, 2 * Math.PI)
    context.fill()
    context.stroke()
  }
  if (picture.van) {
    const [x, y] = project(picture.van.place)
    context.fillStyle = palette.ink
    context.strokeStyle = palette.surface
    context.lineWidth = 4
    context.beginPath()
    if (picture.van.heading_deg === null) context.arc(x, y, 16, 0, 2 * Math.PI)
    else for (const [dx, dy] of [[0, -36], [27, 30], [0, 14], [-27, 30]] as const) context.lineTo(x + dx, y + dy)
    context.closePath()
    context.stroke()
    context.fill()
  }
}
