/** The fleet on MapLibre: the selected van's way, closed roads, vans, stops and the plate at the next door. */

import type { GeoJSONSource, Map as Canvas, MapMouseEvent } from 'maplibre-gl'

import type { MapView } from '../kit/generated/console.ts'
import { makeMap, recolour } from '../kit/map/base.ts'
import { putLine, type LonLat } from '../kit/map/layers.ts'
import { readPalette } from '../kit/map/palette.ts'
import { boundsOf, type Drawing, type DrawnStop, type DrawnVan } from './drawing.ts'
import FlagMarker from './FlagMarker.svelte'
import { Markers } from './markers.svelte.ts'
import StopMarker from './StopMarker.svelte'
import VanMarker from './VanMarker.svelte'

export interface Hands {
  onVan(van: string): void
  onStop(stop_id: string): void
  onClosure(closure_id: string): void
  /** A click on the ground itself. */
  onGround(place: LonLat): void
}

type Flag = NonNullable<Drawing['flag']>

const CLOSE_UP = 15.2
/** Room for the card below and for signs at the edges. */
const PADDING = { top: 56, right: 56, bottom: 150, left: 56 }

export class FleetCanvas {
  private readonly vans: Markers<DrawnVan>
  private readonly stops: Markers<DrawnStop>
  private readonly flags: Markers<Flag>
  private is_styled = false
  /** The colours changed while a style was still loading. */
  private is_faded = false

  private constructor(
    private readonly map: Canvas,
    private readonly base: MapView,
    private drawing: Drawing,
    hands: Hands,
  ) {
    this.vans = new Markers(map, VanMarker, {}, (drawn) => hands.onVan(drawn.van))
    this.stops = new Markers(map, StopMarker, {}, (drawn) => hands.onStop(drawn.stop_id))
    this.flags = new Markers<Flag>(map, FlagMarker, {}, (drawn) => hands.onStop(drawn.stop_id))
    map.on('style.load', () => {
      this.is_styled = true
      if (this.is_faded) this.recolour()
      else this.draw(this.drawing)
    })
    map.on('click', (event) => this.clicked(event, hands))
    map.on('mousemove', (event) => {
      map.getCanvas().style.cursor = this.closureAt(event) ? 'pointer' : ''
    })
  }

  static async make(element: HTMLElement, base: MapView, drawing: Drawing, start: LonLat, hands: Hands): Promise<FleetCanvas> {
    const map = await makeMap(element, base, { center: start, zoom: 13, interactive: true })
    map.touchZoomRotate.disableRotation()
    map.keyboard.disableRotation()
    return new FleetCanvas(map, base, drawing, hands)
  }

  draw(drawing: Drawing): void {
    this.drawing = drawing
    if (this.is_styled) this.drawLines(drawing)
    this.stops.draw(drawing.stops, (stop) => stop.stop_id)
    this.vans.draw(drawing.vans, (van) => van.van, layerOf)
    this.flags.draw(drawing.flag ? [drawing.flag] : [], (flag) => `${flag.stop_id} ${flag.number}`, () => 6)
  }

  recolour(): void {
    this.is_faded = !this.is_styled
    if (this.is_faded) return
    this.is_styled = false
    recolour(this.map, this.base)
  }

  zoom(by: number): void {
    this.map.jumpTo({ zoom: this.map.getZoom() + by })
  }

  /** All of these in sight. */
  fit(places: readonly LonLat[]): void {
    const bounds = boundsOf(places)
    if (bounds) this.map.fitBounds(bounds, { padding: PADDING, maxZoom: CLOSE_UP, duration: 0 })
  }

  /** There, and near enough to see the street. */
  goTo(place: LonLat): void {
    this.map.jumpTo({ center: place, zoom: Math.max(this.map.getZoom(), CLOSE_UP) })
  }

  /** There, unless it is in sight already. */
  bringIntoSight(place: LonLat): void {
    const { x, y } = this.map.project(place)
    const { clientWidth, clientHeight } = this.map.getContainer()
    const is_inside = x > 30 && y > 30 && x < clientWidth - 30 && y < clientHeight - PADDING.bottom
    if (!is_inside) this.map.jumpTo({ center: place })
  }

  resize(): void {
    this.map.resize()
  }

  remove(): void {
    for (const markers of [this.vans, this.stops, this.flags]) markers.clear()
    this.map.remove()
  }

  private drawLines({ route, is_estimate, closures, draft }: Drawing): void {
    const palette = readPalette()
    putLine(this.map, 'route', is_estimate ? [] : route, { colour: palette.route, width_px: 4.5, casing: palette.road })
    // A straight line is no way through streets, and does not look like one.
    const dashed = { colour: palette.route, width_px: 3, casing: palette.road, casing_px: 0, dash: [1.5, 2] as [number, number] }
    putLine(this.map, 'route-estimate', is_estimate ? route : [], dashed)
    this.drawClosures([...closures, { closure_id: '', line: draft }])
  }

  /** A closed road is struck through: bars across a thin line. */
  private drawClosures(closures: Drawing['closures']): void {
    const features = closures
      .filter((closure) => closure.line.length > 1)
      .map(({ closure_id, line }) => ({
        type: 'Feature' as const, properties: { closure_id }, geometry: { type: 'LineString' as const, coordinates: line },
      }))
    const data = { type: 'FeatureCollection' as const, features }
    const source = this.map.getSource<GeoJSONSource>('closures')
    if (source) {
      source.setData(data)
      return
    }
    const palette = readPalette()
    this.map.addSource('closures', { type: 'geojson', data, tolerance: 0.1 })
    const add = (id: string, colour: string, width_px: number, dash?: [number, number]): void => {
      const paint = { 'line-color': colour, 'line-width': width_px, ...(dash ? { 'line-dasharray': dash } : {}) }
      this.map.addLayer({ id, type: 'line', source: 'closures', paint })
    }
    add('closure-ground', palette.surface, 13)
    add('closure-line', palette.late, 2)
    add('closure-bars', palette.late, 11, [0.28, 0.5])
  }

  private closureAt(event: MapMouseEvent): string | null {
    if (!this.is_styled || !this.map.getLayer('closure-ground')) return null
    const { x, y } = event.point
    const near: [[number, number], [number, number]] = [[x - 6, y - 6], [x + 6, y + 6]]
    const id: unknown = this.map.queryRenderedFeatures(near, { layers: ['closure-ground'] })[0]?.properties['closure_id']
    return typeof id === 'string' && id ? id : null
  }

  private clicked(event: MapMouseEvent, hands: Hands): void {
    const closure = this.closureAt(event)
    if (closure) hands.onClosure(closure)
    else hands.onGround([event.lngLat.lng, event.lngLat.lat])
  }
}

/** What matters lies on top. */
function layerOf(van: DrawnVan): number {
  if (van.is_selected) return 5
  return van.punctuality === 'late' ? 4 : van.punctuality === 'tight' ? 3 : 2
}
