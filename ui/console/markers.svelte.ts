/** Markers that are components: kept by key, moved and changed in place, taken away when their thing is gone. */

import { Marker, type Map as Canvas, type MarkerOptions } from 'maplibre-gl'
import { mount, unmount, type Component } from 'svelte'

import type { LonLat } from '../kit/map/layers.ts'

interface Standing<T> {
  marker: Marker
  props: { drawn: T }
  made: Record<string, unknown>
  /** Which thing of which place it shows now. */
  place: LonLat
}

export class Markers<T extends { place: LonLat }> {
  private readonly standing = new Map<string, Standing<T>>()

  constructor(
    private readonly map: Canvas,
    private readonly component: Component<{ drawn: T }>,
    private readonly options: Omit<MarkerOptions, 'element'>,
    private readonly onclick: (drawn: T) => void,
  ) {}

  draw(things: readonly T[], key: (thing: T) => string, layer: (thing: T) => number = () => 1): void {
    const gone = new Set(this.standing.keys())
    for (const thing of things) {
      const name = key(thing)
      gone.delete(name)
      const one = this.standing.get(name) ?? this.put(name, thing)
      one.props.drawn = thing
      one.marker.getElement().style.zIndex = String(layer(thing))
      if (one.place[0] !== thing.place[0] || one.place[1] !== thing.place[1]) {
        one.place = thing.place
        one.marker.setLngLat(thing.place)
      }
    }
    for (const name of gone) this.take(name)
  }

  clear(): void {
    for (const name of [...this.standing.keys()]) this.take(name)
  }

  private put(name: string, thing: T): Standing<T> {
    const element = document.createElement('div')
    const props: { drawn: T } = $state({ drawn: thing })
    const made = mount(this.component, { target: element, props })
    const marker = new Marker({ ...this.options, element }).setLngLat(thing.place).addTo(this.map)
    // The list says all of it to those who do not see the map.
    element.setAttribute('aria-hidden', 'true')
    element.addEventListener('click', (event) => {
      event.stopPropagation()
      this.onclick(props.drawn)
    })
    const one = { marker, props, made, place: thing.place }
    this.standing.set(name, one)
    return one
  }

  private take(name: string): void {
    const one = this.standing.get(name)
    if (!one) return
    one.marker.remove()
    void unmount(one.made)
    this.standing.delete(name)
  }
}
