/** What lies on the cab's map: route behind and ahead, the van, the plate at the next door. */

import { Marker, type Map as Canvas } from 'maplibre-gl'
import { mount } from 'svelte'

import type { MapView } from '../kit/generated/cab.ts'
import { makeMap, recolour } from '../kit/map/base.ts'
import { groundCircle, putLine, type LonLat } from '../kit/map/layers.ts'
import { readPalette } from '../kit/map/palette.ts'
import type { Names } from '../kit/map/style.ts'
import PlateFlag from './PlateFlag.svelte'
import VanSign from './VanSign.svelte'
import { COVERED_PX, zoomFor } from './guidance.ts'


export interface DrivePicture {
  van: { place: LonLat; heading_deg: number | null } | null
  /** The heading that is up: the last one known. */
  up_deg: number
  is_weak: boolean
  error_m: number | null
  behind: LonLat[]
  line: LonLat[]
  onward: LonLat[]
  target: { place: LonLat; number: string } | null
  distance_m: number | null
  /** A bar lies over the lower part: the van and its next stop stand above it. */
  is_covered: boolean
}

/** Nothing under 25 px in the cab; near a turn the panel names the street and the map stays clear. */
const NAMES: Names = { size_px: 26, until_zoom: 16 }

export class DriveCanvas {
  private readonly van: Marker
  private plate: Marker | null = null
  private plate_number = ''
  private is_styled = false
  private is_weak: boolean | null = null

  private constructor(
    private readonly map: Canvas,
    private readonly base: MapView,
    private picture: DrivePicture,
  ) {
    this.van = new Marker({ element: document.createElement('div'), rotationAlignment: 'map', pitchAlignment: 'map' })
    map.on('style.load', () => {
      this.is_styled = true
      this.draw(this.picture)
    })
  }

  static async make(element: HTMLElement, base: MapView, picture: DrivePicture): Promise<DriveCanvas> {
    const place = picture.van?.place ?? picture.target?.place ?? centreOf(base)
    const map = await makeMap(element, base, { center: place, zoom: zoomFor(picture.distance_m), interactive: false, names: NAMES })
    return new DriveCanvas(map, base, picture)
  }

  draw(picture: DrivePicture): void {
    this.picture = picture
    this.follow(picture)
    if (this.is_styled) this.drawLines(picture)
    this.drawVan(picture)
    this.drawPlate(picture)
  }

  recolour(): void {
    if (!this.is_styled) return
    this.is_styled = false
    recolour(this.map, this.base, NAMES)
  }

  remove(): void {
    this.map.remove()
  }

  private follow(picture: DrivePicture): void {
    const center = picture.van?.place ?? picture.target?.place
    if (!center) return
    const height_px = this.map.getContainer().clientHeight
    // The van stands low, and right of the middle: the panel and the buttons take the left.
    const top_share = picture.is_covered ? 0.3 : 0.5
    const padding = { top: height_px * top_share, bottom: picture.is_covered ? COVERED_PX : 0, left: 120, right: 0 }
    this.map.jumpTo({ center, bearing: picture.up_deg, zoom: zoomFor(picture.distance_m), padding })
  }

  private drawLines(picture: DrivePicture): void {
    const palette = readPalette()
    putLine(this.map, 'behind', picture.behind, { colour: palette.travelled, width_px: 13, casing: palette.road, opacity: 0.55 })
    putLine(this.map, 'onward', picture.onward, { colour: palette.route, width_px: 10, casing: palette.road, opacity: 0.42 })
    putLine(this.map, 'route', picture.line, { colour: palette.route, width_px: 16, casing: palette.road })
    const { van, error_m, is_weak } = picture
    const ring = van && is_weak && error_m ? groundCircle(van.place[1], van.place[0], error_m) : []
    putLine(this.map, 'error', ring, { colour: palette.ink, width_px: 2.5, casing: palette.road, casing_px: 0, dash: [2.5, 3.5] })
  }

  private drawVan(picture: DrivePicture): void {
    if (!picture.van) {
      this.van.remove()
      return
    }
    const element = this.van.getElement()
    const is_hollow = picture.is_weak
    if (this.is_weak !== is_hollow || element.dataset['heading'] !== String(picture.van.heading_deg !== null)) {
      element.replaceChildren()
      mount(VanSign, { target: element, props: { is_hollow, has_heading: picture.van.heading_deg !== null } })
      element.dataset['heading'] = String(picture.van.heading_deg !== null)
      this.is_weak = is_hollow
    }
    this.van.setLngLat(picture.van.place).setRotation(picture.van.heading_deg ?? 0).addTo(this.map)
  }

  private drawPlate(picture: DrivePicture): void {
    const target = picture.target
    if (!target || this.plate_number !== target.number) {
      this.plate?.remove()
      this.plate = null
    }
    if (!target) return
    if (!this.plate) {
      const element = document.createElement('div')
      mount(PlateFlag, { target: element, props: { number: target.number } })
      this.plate = new Marker({ element, anchor: 'bottom', offset: [0, -4] })
      this.plate_number = target.number
    }
    this.plate.setLngLat(target.place).addTo(this.map)
  }
}

const centreOf = (base: MapView): LonLat =>
  base.bounds ? [(base.bounds[0] + base.bounds[2]) / 2, (base.bounds[1] + base.bounds[3]) / 2] : [0, 0]
