/** Lines on top of the base map: routes and the like. Each is one source with one casing and one stroke. */

import type { GeoJSONSource, Map as Canvas } from 'maplibre-gl'

export type LonLat = [number, number]

export interface Stroke {
  colour: string
  width_px: number
  /** The edge that keeps it apart from what lies beneath. */
  casing: string
  casing_px?: number
  opacity?: number
  dash?: [number, number]
}

const lineOf = (line: readonly LonLat[]) => ({
  type: 'Feature' as const,
  properties: {},
  geometry: { type: 'LineString' as const, coordinates: line.length > 1 ? [...line] : [] },
})

/** Put a line there, or move the one of that name. Lines lie in the order in which they were first put. */
export function putLine(map: Canvas, id: string, line: readonly LonLat[], stroke: Stroke): void {
  const source = map.getSource<GeoJSONSource>(id)
  if (source) {
    source.setData(lineOf(line))
    return
  }
  map.addSource(id, { type: 'geojson', data: lineOf(line), tolerance: 0.1 })
  const layout = { 'line-cap': 'round', 'line-join': 'round' } as const
  const beneath = map.getLayer('road-name') ? 'road-name' : undefined
  if (stroke.casing_px !== 0)
    map.addLayer(
      {
        id: `${id}-casing`, type: 'line', source: id, layout,
        paint: { 'line-color': stroke.casing, 'line-width': stroke.width_px + 2 * (stroke.casing_px ?? 2) },
      },
      beneath,
    )
  map.addLayer(
    {
      id, type: 'line', source: id, layout,
      paint: {
        'line-color': stroke.colour, 'line-width': stroke.width_px, 'line-opacity': stroke.opacity ?? 1,
        ...(stroke.dash ? { 'line-dasharray': stroke.dash } : {}),
      },
    },
    beneath,
  )
}

/** A circle on the ground, as a ring of [lon, lat]: for the true error of a position, or a radius around a door. */
export function groundCircle(lat_deg: number, lon_deg: number, radius_m: number, corners = 48): LonLat[] {
  const north_deg = radius_m / 111_320
  const east_deg = north_deg / Math.cos((lat_deg * Math.PI) / 180)
  return Array.from({ length: corners + 1 }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners
    return [lon_deg + east_deg * Math.sin(angle), lat_deg + north_deg * Math.cos(angle)] as LonLat
  })
}
