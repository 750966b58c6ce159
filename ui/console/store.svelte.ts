/** What the coordinator said, and where one is in the page. Views are functions of this; nothing else holds state. */

import { untrack } from 'svelte'

import type { Ending, ClosureView, Depot, FleetPicture, MapView, StopRow, VanRoute, VanView } from '../kit/generated/console.ts'
import { isNight } from '../kit/sun.ts'
import { applyTheme, keepChoice, readChoice, themeNow, type Theme } from '../kit/theme.ts'
import { readAddress, writeAddress, type Address } from './address.ts'
import { needsYou } from './needs.ts'
import { fetchMap, fetchRoute, listenToFleet } from './server.ts'
import { troubleFirst } from './vans.ts'

class Console {
  is_started = $state(false)
  is_answering = $state(true)
  timezone = $state('UTC')
  day = $state('')
  depot = $state.raw<Depot | null>(null)
  clock_rate = $state(1)
  vans = $state.raw<ReadonlyMap<string, VanView>>(new Map())
  stops = $state.raw<ReadonlyMap<string, StopRow>>(new Map())
  closures = $state.raw<readonly ClosureView[]>([])
  endings = $state.raw<readonly Ending[]>([])
  map = $state.raw<MapView | null>(null)
  /** The way before the selected van. */
  route = $state.raw<VanRoute | null>(null)
  address = $state.raw<Address>(readAddress(location.hash))
  choice = $state.raw(readChoice(localStorage))
  /** The theme whose colours the tokens hold now: what a map reads its palette by. */
  painted = $state<Theme>('day')
  /** Counts up when someone asks to be shown the selection: the map goes there even when it is in sight. */
  shown = $state(0)

  private said_ms = $state(0)
  private heard_ms = $state(0)
  private beat = $state(0)
  private last_word_ms = $state(0)

  /** The coordinator's clock, carried on since it was told. */
  readonly now_ms = $derived(this.said_ms + Math.max(0, this.beat - this.heard_ms) * this.clock_rate)
  /** The coordinator's time when it last said anything. */
  readonly as_of_ms = $derived(this.said_ms + Math.max(0, this.last_word_ms - this.heard_ms) * this.clock_rate)
  readonly ordered_vans = $derived(troubleFirst(this.vans.values(), this.now_ms))
  readonly needs = $derived(needsYou(this.ordered_vans, this.stops.values(), this.now_ms, this.endings))
  readonly van = $derived.by((): VanView | null => {
    if (this.address.is === 'live' && this.address.van) return this.vans.get(this.address.van) ?? null
    return null
  })
  /** The stop on the card: the one asked for, else the next of the selected van. */
  readonly stop = $derived.by((): StopRow | null => {
    const asked = this.address.is === 'live' ? this.address.stop_id : null
    const stop_id = asked ?? this.van?.next_stop_id
    return stop_id ? (this.stops.get(stop_id) ?? null) : null
  })
  readonly sun = $derived.by((): Theme => {
    if (!this.depot || !this.is_started) return 'day'
    // Once a minute is often enough, and keeps the theme from being worked out at every beat.
    const minute_ms = Math.floor(this.now_ms / 60_000) * 60_000
    return isNight(minute_ms, this.depot.lat_deg, this.depot.lon_deg) ? 'night' : 'day'
  })
  readonly theme = $derived(themeNow(this.sun, this.choice))

  /** Go somewhere. Each selection of a van is not a step to go back over; a page is. */
  open(address: Address): void {
    const is_same_page = address.is === this.address.is && address.is !== 'stop'
    const hash = writeAddress(address)
    if (is_same_page) history.replaceState(null, '', hash)
    else history.pushState(null, '', hash)
    this.address = address
  }

  select(van: string | null): void {
    const show = this.address.is === 'live' ? this.address.show : 'all'
    this.open({ is: 'live', van, stop_id: null, show })
  }

  /** Select and let the map go there. */
  showOnMap(van: string | null, stop_id: string | null): void {
    this.open({ is: 'live', van, stop_id, show: this.address.is === 'live' ? this.address.show : 'all' })
    this.shown += 1
  }

  toggleTheme(): void {
    this.choice = { theme: this.theme === 'day' ? 'night' : 'day', sun: this.sun }
    keepChoice(localStorage, this.choice)
  }

  private hear(picture: FleetPicture): void {
    this.timezone = picture.timezone
    this.day = picture.day
    this.depot = picture.depot
    this.clock_rate = picture.clock_rate
    this.vans = new Map(picture.vans.map((van) => [van.van, van]))
    this.stops = new Map(picture.stops.map((stop) => [stop.stop_id, stop]))
    this.closures = picture.closures
    this.endings = picture.endings
    this.said_ms = Date.parse(picture.now)
    this.heard_ms = this.beat = performance.now()
    this.is_started = true
    if (!this.map) void fetchMap().then((answer) => (this.map = answer.is === 'done' ? answer.value : this.map))
  }

  /** The selected van's way, asked for again when its plan or its next stop is another. */
  private followRoute(): void {
    const van = this.van
    if (!van) {
      this.route = null
      return
    }
    const name = van.van
    if (this.route?.van !== name) this.route = null
    void fetchRoute(name).then((answer) => {
      if (answer.is === 'done' && this.van?.van === name) this.route = answer.value
    })
  }

  /** Begin to listen; called once, by the page. */
  start(): () => void {
    const heard = (): void => void (this.last_word_ms = performance.now())
    const stopListening = listenToFleet({
      picture: (picture) => (this.hear(picture), heard()),
      vans: (vans) => (this.vans = merged(this.vans, vans, (van) => van.van)),
      stops: (stops) => (this.stops = merged(this.stops, stops, (stop) => stop.stop_id)),
      closures: (closures) => (this.closures = closures),
      endings: (endings) => (this.endings = endings),
      answering: (is_answering) => {
        this.is_answering = is_answering
        if (is_answering) heard()
      },
    })
    const ticking = setInterval(() => (this.beat = performance.now()), 1000)
    const readHash = (): void => void (this.address = readAddress(location.hash))
    window.addEventListener('hashchange', readHash)
    window.addEventListener('popstate', readHash)
    const route_key = $derived(this.van && `${this.van.van} ${this.van.plan_version} ${this.van.stop_ids.join(' ')}`)
    const stopEffects = $effect.root(() => {
      $effect(() => {
        applyTheme(this.theme)
        this.painted = this.theme
      })
      $effect(() => {
        void route_key
        untrack(() => this.followRoute())
      })
    })
    return () => {
      stopListening()
      clearInterval(ticking)
      window.removeEventListener('hashchange', readHash)
      window.removeEventListener('popstate', readHash)
      stopEffects()
    }
  }
}

/** A new map with these put in; views compare maps by identity. */
function merged<T>(known: ReadonlyMap<string, T>, changed: readonly T[], key: (value: T) => string): ReadonlyMap<string, T> {
  const next = new Map(known)
  for (const value of changed) next.set(key(value), value)
  return next
}

export const fleet = new Console()
