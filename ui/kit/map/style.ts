/** The base map's style, built from tokens: land, parks, water, buildings, roads, names. OpenMapTiles layers, as
 *  tilemaker writes them. No glyphs: names are drawn with the page's own font. */

import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'

import type { Palette } from './palette.ts'

/** What the server says of its base map; the same shape in the van and in the coordinator. */
export interface BaseMap {
  has_tiles: boolean
  bounds: [number, number, number, number] | null
  max_zoom: number
}

const FOOT = ['path', 'track', 'pedestrian']
const RAIL = ['rail', 'transit']
const MAJOR = ['motorway', 'trunk', 'primary', 'secondary']

const classIn = (classes: string[]): ExpressionSpecification => ['in', ['get', 'class'], ['literal', classes]]
const isRoad: ExpressionSpecification = ['!', classIn([...FOOT, ...RAIL, 'ferry'])]

/** Width in px by zoom: a street keeps about its true width when one stands in it. */
function width(minor: number, major: number, extra_px: number): ExpressionSpecification {
  const at = (scale: number): ExpressionSpecification => [
    'case',
    classIn(MAJOR), major * scale + extra_px,
    classIn(['service']), minor * scale * 0.55 + extra_px,
    minor * scale + extra_px,
  ]
  return ['interpolate', ['exponential', 1.7], ['zoom'], 11, at(0.09), 14, at(0.34), 16, at(1), 18, at(2.9)]
}

function ground(palette: Palette): LayerSpecification[] {
  const fill = (id: string, source_layer: string, colour: string, filter?: ExpressionSpecification): LayerSpecification => ({
    id, type: 'fill', source: 'base', 'source-layer': source_layer,
    ...(filter ? { filter } : {}),
    paint: { 'fill-color': colour, 'fill-antialias': true },
  })
  return [
    fill('landcover', 'landcover', palette.park, classIn(['grass', 'wood', 'farmland', 'wetland'])),
    fill('park', 'park', palette.park),
    fill('green-use', 'landuse', palette.park, classIn(['cemetery', 'pitch', 'playground', 'garden', 'park'])),
    fill('water', 'water', palette.water),
    {
      id: 'waterway', type: 'line', source: 'base', 'source-layer': 'waterway',
      paint: { 'line-color': palette.water, 'line-width': ['interpolate', ['linear'], ['zoom'], 12, 1, 17, 4] },
    },
    { ...fill('building', 'building', palette.building), minzoom: 14 } as LayerSpecification,
  ]
}

function roads(palette: Palette): LayerSpecification[] {
  const round = { 'line-cap': 'round', 'line-join': 'round' } as const
  return [
    {
      id: 'foot', type: 'line', source: 'base', 'source-layer': 'transportation', minzoom: 14,
      filter: classIn(FOOT), layout: round,
      paint: { 'line-color': palette.foot, 'line-width': ['interpolate', ['exponential', 1.7], ['zoom'], 14, 0.8, 18, 8] },
    },
    {
      id: 'rail', type: 'line', source: 'base', 'source-layer': 'transportation', minzoom: 12,
      filter: classIn(RAIL), paint: { 'line-color': palette.line, 'line-width': 2 },
    },
    {
      id: 'road-edge', type: 'line', source: 'base', 'source-layer': 'transportation', minzoom: 13,
      filter: isRoad, layout: round,
      paint: { 'line-color': palette.line, 'line-width': width(11, 16, 1.6) },
    },
    {
      id: 'road', type: 'line', source: 'base', 'source-layer': 'transportation',
      filter: isRoad, layout: round,
      paint: { 'line-color': palette.road, 'line-width': width(11, 16, 0) },
    },
  ]
}

export interface Names {
  size_px: number
  /** Closer than this, streets carry no name: the panel says the one that counts. */
  until_zoom: number
}

function names(palette: Palette, font: string, { size_px: size, until_zoom }: Names): LayerSpecification[] {
  // tilemaker puts the readable name into name:latin
  const name: ExpressionSpecification = ['coalesce', ['get', 'name:latin'], ['get', 'name']]
  const paint = { 'text-color': palette.name, 'text-halo-color': palette.road, 'text-halo-width': 2 }
  return [
    {
      id: 'road-name', type: 'symbol', source: 'base', 'source-layer': 'transportation_name', minzoom: 13.5,
      maxzoom: until_zoom,
      layout: {
        'symbol-placement': 'line', 'text-field': name, 'text-font': [font], 'text-size': size,
        'text-padding': 12, 'symbol-spacing': 420, 'text-max-angle': 25,
      },
      paint,
    },
    {
      id: 'place-name', type: 'symbol', source: 'base', 'source-layer': 'place', maxzoom: 15,
      filter: classIn(['city', 'town', 'village', 'suburb']),
      layout: { 'text-field': name, 'text-font': [font], 'text-size': size + 2, 'text-padding': 20 },
      paint: { ...paint, 'text-halo-color': palette.land },
    },
  ]
}

const CONSOLE_NAMES: Names = { size_px: 13, until_zoom: 24 }

/** The whole style. Without tiles it is bare land, on which routes and stops can still be drawn. */
export function baseStyle(palette: Palette, base: BaseMap, origin: string, named: Names = CONSOLE_NAMES): StyleSpecification {
  const land: LayerSpecification = { id: 'land', type: 'background', paint: { 'background-color': palette.land } }
  if (!base.has_tiles) return { version: 8, sources: {}, layers: [land] }
  return {
    version: 8,
    sources: {
      base: {
        type: 'vector',
        tiles: [`${origin}/tiles/{z}/{x}/{y}.pbf`],
        minzoom: 0,
        maxzoom: Math.min(base.max_zoom, 14),
        ...(base.bounds ? { bounds: base.bounds } : {}),
        attribution: '© OpenStreetMap contributors',
      },
    },
    layers: [land, ...ground(palette), ...roads(palette), ...names(palette, 'Encode Sans Variable', named)],
  }
}
