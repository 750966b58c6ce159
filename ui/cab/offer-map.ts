/** The base map under an offered order: still, north up, as close as the piece of the round allows. */

import type { Map as Canvas } from 'maplibre-gl'

import type { MapView } from '../kit/generated/cab.ts'
import { makeMap, recolour } from '../kit/map/base.ts'
import type { Projection } from '../kit/map/fit.ts'
import type { LonLat } from '../kit/map/layers.ts'
import type { Names } from '../kit/map/style.ts'

const CLOSEST_ZOOM = 16.5
/** Names at the size of the cab would hide the streets of so small a map; the rows beside it name the doors. */
const NO_NAMES: Names = { size_px: 26, until_zoom: 0 }

export class OfferCanvas {
  private constructor(
    private readonly map: Canvas,
    private readonly base: MapView,
    private readonly padding_px: number,
  ) {}

  static async make(element: HTMLElement, base: MapView, places: LonLat[], padding_px: number): Promise<OfferCanvas> {
    const map = await makeMap(element, base, { center: places[0] ?? [0, 0], zoom: 14, interactive: false, names: NO_NAMES })
    return new OfferCanvas(map, base, padding_px)
  }

  /** Shows all places, and says where they lie. */
  fit(places: LonLat[]): Projection {
    const lons = places.map((place) => place[0])
    const lats = places.map((place) => place[1])
    this.map.fitBounds(
      [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)],
      { padding: this.padding_px, maxZoom: CLOSEST_ZOOM, animate: false },
    )
    return (place) => {
      const { x, y } = this.map.project(place)
      return [x, y]
    }
  }

  recolour(): void {
    if (this.map.isStyleLoaded()) recolour(this.map, this.base, NO_NAMES)
  }

  remove(): void {
    this.map.remove()
  }
}
