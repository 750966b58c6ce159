/** MapLibre, set up the one way that works here: own worker file, no attribution control, no glide, local fonts. */

import 'maplibre-gl/dist/maplibre-gl.css'

import { Map as Canvas, setWorkerUrl, type MapOptions } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'

import { readPalette } from './palette.ts'
import { baseStyle, type BaseMap, type Names } from './style.ts'

setWorkerUrl(workerUrl)

/** False in a browser or on a machine without WebGL 2; then the plain canvas draws instead. */
export function hasWebGl(): boolean {
  return document.createElement('canvas').getContext('webgl2') !== null
}

export interface BaseOptions {
  center: [number, number]
  zoom: number
  /** Whether a person may move it; the cab's map follows the van by itself. */
  interactive: boolean
  /** How streets are named; small and always, unless told otherwise. */
  names?: Names
}

/** A map in this element. It sets `data-ready="true"` there when all it wanted to draw is drawn. The caller removes it,
 *  and shows the notice "© OpenStreetMap contributors" beside or on it. */
export async function makeMap(container: HTMLElement, base: BaseMap, options: BaseOptions): Promise<Canvas> {
  // Names are measured when a tile is laid out, so the font must be there before the first one.
  await document.fonts.load('500 16px "Encode Sans Variable"').catch(() => [])
  const settings: MapOptions = {
    container,
    style: baseStyle(readPalette(), base, location.origin, options.names),
    center: options.center,
    zoom: options.zoom,
    maxZoom: 19,
    interactive: options.interactive,
    attributionControl: false,
    fadeDuration: 0,
    dragRotate: false,
    pitchWithRotate: false,
    refreshExpiredTiles: false,
  }
  const map = new Canvas(settings)
  map.on('idle', () => (container.dataset['ready'] = 'true'))
  return map
}

/** Draw the base again in the colours of the theme that is on now. The page's own layers go with the old style: add
 *  them again on `style.load`. */
export function recolour(map: Canvas, base: BaseMap, names?: Names): void {
  map.setStyle(baseStyle(readPalette(), base, location.origin, names), { diff: false })
}
