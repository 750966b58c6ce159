/** What the agent said, and where the driver is in the page. Views are functions of this; nothing else holds state. */

import { SvelteMap } from 'svelte/reactivity'

import type {
  CabView, FailReason, MapView, OfferRouteView, OfferView, Outcome, RouteView, StopView, Waiver,
} from '../kit/generated/cab.ts'
import { isNight } from '../kit/sun.ts'
import { applyTheme, keepChoice, readChoice, themeNow, type Theme } from '../kit/theme.ts'
import { loadWording, type Wording } from './manoeuvre-words.ts'
import type { Strokes } from './pad.ts'
import { fetchMap, fetchOfferRoute, fetchRoute, listenToAgent, sendEvidence, sendTap, type Answer, type EvidenceTap, type Tap } from './server.ts'
import { readCodes, tone } from './reader.ts'
import { refusalWords } from './words-of.ts'
import { locale } from './words.ts'

export type Page =
  | { is: 'drive' }
  | { is: 'day' }
  | { is: 'offer' }
  | { is: 'van' }
  | { is: 'battery' }
  | { is: 'stop'; stop_id: string }
  | { is: 'signature'; stop_id: string }
  | { is: 'scan' | 'pin' | 'age' | 'note' | 'cash' | 'correct'; stop_id: string }
  | { is: 'way'; stop_id: string; is_neighbour?: boolean }
  | { is: 'why'; stop_id: string }
  | { is: 'load' }
  | { is: 'label'; back: Page }
  | { is: 'problem'; stop_id: string }
  | { is: 'reason'; stop_id: string; reason: FailReason }
  | { is: 'saved'; stop_id: string; saved_at: string; outcome: Outcome | null; reason: FailReason | null }

/** Something that was not saved, in words, and how to try it again. */
export interface NotSavedNow {
  words: string
  again: (() => void) | null
}

class Cab {
  view = $state.raw<CabView | null>(null)
  route = $state.raw<RouteView | null>(null)
  offer_route = $state.raw<OfferRouteView | null>(null)
  map = $state.raw<MapView | null>(null)
  /** How a manoeuvre is said; null until the texts are there. */
  wording = $state.raw<Wording | null>(null)
  is_answering = $state(true)
  page = $state.raw<Page>({ is: 'drive' })
  /** What is on its way to the store: the stop's next tick waits for the answer. */
  saving = $state<'tap' | 'photo' | 'signature' | null>(null)
  not_saved = $state.raw<NotSavedNow | null>(null)
  /** The driver said that the van is parked, when GPS could not; it holds until the van is seen to move. */
  is_parked_by_word = $state(false)
  asks_parked = $state.raw<Page | null>(null)
  seen_plan = $state(0)
  /** The offer that was put before the driver by itself: each one once. */
  private shown_offer = 0
  /** The theme the document has taken on: what is drawn by hand reads its colours only after this. */
  shown_theme = $state<Theme>('day')
  choice = $state.raw(readChoice(localStorage))
  /** Signatures that are drawn and not saved, by stop: kept whatever happens to the page around them. */
  readonly drafts = new Map<string, Strokes>()
  /** Who signs, by stop, until the agent has it. */
  readonly signers = new Map<string, string>()
  /** The driver's reasons for what is left undone, by stop, until the stop is closed. */
  readonly waivers = new SvelteMap<string, Waiver[]>()
  /** Codes that came faster than the agent saves them. */
  private readonly codes: string[] = []

  private is_looking = false
  private looked_for = -1
  private heard_ms = $state(0)
  private beat = $state(0)

  /** The agent's clock, carried on between two messages. */
  readonly now_ms = $derived.by(() => {
    if (!this.view) return null
    const since_ms = Math.max(0, this.beat - this.heard_ms)
    return Date.parse(this.view.now) + since_ms * this.view.clock_rate
  })
  readonly next = $derived(this.view?.stops.find((stop) => stop.stop_id === this.view?.next_stop_id) ?? null)
  readonly after = $derived.by((): StopView | null => {
    const open = this.view?.stops.filter((stop) => isOpen(stop) && !stop.waits_for && stop.stop_id !== this.view?.next_stop_id) ?? []
    return open.sort((a, b) => a.position - b.position)[0] ?? null
  })
  /** Moving locks all but one-tap actions, and an unknown speed counts as moving. */
  readonly is_locked = $derived.by(() => {
    const motion = this.view?.motion ?? 'unknown'
    return motion === 'moving' || (motion === 'unknown' && !this.is_parked_by_word)
  })
  readonly sun = $derived.by((): Theme => {
    const place = this.view?.position ?? this.view?.stops[0]
    if (!place || this.now_ms === null) return 'day'
    // Once a minute is often enough, and keeps the theme from being worked out at every beat.
    return isNight(Math.floor(this.now_ms / 60_000) * 60_000, place.lat_deg, place.lon_deg) ? 'night' : 'day'
  })
  readonly theme = $derived(themeNow(this.sun, this.choice))

  stop(stop_id: string): StopView | null {
    return this.view?.stops.find((stop) => stop.stop_id === stop_id) ?? null
  }

  /** Go to a page; a locked one asks first, or waits for the van to stop. */
  open(page: Page): void {
    this.not_saved = null
    if (page.is === 'drive') this.is_parked_by_word = false
    if (page.is === 'drive' || page.is === 'saved' || !this.is_locked) this.page = page
    else if (this.view?.motion === 'unknown') this.asks_parked = page
  }

  sayParked(): void {
    this.is_parked_by_word = true
    const wanted = this.asks_parked
    this.asks_parked = null
    if (wanted) this.open(wanted)
  }

  toggleTheme(): void {
    this.choice = { theme: this.theme === 'day' ? 'night' : 'day', sun: this.sun }
    keepChoice(localStorage, this.choice)
  }

  /** Send a tap; `then` runs only when the agent says it is saved. */
  async tap(tap: Tap, then: (saved_at: string) => void): Promise<void> {
    await this.save('tap', () => sendTap(tap), then, () => void this.tap(tap, then))
  }

  /** The driver's word on an offered order. */
  async answer(kind: 'accept' | 'keep', offer: OfferView): Promise<void> {
    await this.tap({ kind, offer: offer.number }, () => {
      // Accepted is seen: the note of a new order has nothing to add.
      if (kind === 'accept') this.seen_plan = (this.view?.plan?.version ?? 0) + 1
      this.open({ is: 'drive' })
    })
  }

  /** A code from the reader: for the stop on the page, the one stood at, or the load. */
  async scanned(code: string): Promise<void> {
    this.codes.push(code)
    if (this.codes.length > 1) return // the one before is on its way: this one follows it
    while (this.codes.length) {
      await this.scanOne(this.codes[0] as string)
      this.codes.shift()
    }
  }

  private async scanOne(code: string): Promise<void> {
    while (this.saving) await new Promise((resolve) => setTimeout(resolve, 50))
    if (this.page.is === 'load') {
      const load = this.view?.load
      // Once nothing but what comes back is left to be scanned, a code is of that.
      const comes_back = !!load && load.checked_at !== null && load.back_codes > load.back_scanned
      await this.tap({ kind: comes_back ? 'back_scan' : 'load_scan', code }, () => undefined)
      if (!this.not_saved) tone(this.view?.load.last_scan?.verdict === 'right')
      return
    }
    if (this.page.is === 'label' || this.page.is === 'van') return this.readLabel(code)
    const stop_id = 'stop_id' in this.page ? this.page.stop_id : this.next?.phase === 'arrived' ? this.next.stop_id : null
    if (stop_id === null || !isOpen(this.stop(stop_id) ?? ({ phase: 'completed' } as StopView))) return this.readLabel(code)
    await this.tap({ kind: 'scan', stop_id, code, is_typed: false }, () => this.open({ is: 'scan', stop_id }))
    if (!this.not_saved) tone(this.stop(stop_id)?.hand.last_scan?.verdict === 'right')
  }

  /** A code that is for no stop at hand: what it is, and whether a stop can be made of its label. */
  private async readLabel(code: string): Promise<void> {
    if (this.is_locked) return
    const back: Page = this.page.is === 'label' ? this.page.back : this.page
    await this.tap({ kind: 'label', code }, () => this.open({ is: 'label', back }))
    if (!this.not_saved) tone(this.view?.label?.scan.verdict === 'right')
  }

  async evidence(evidence: EvidenceTap, then: () => void): Promise<void> {
    await this.save(evidence.kind, () => sendEvidence(evidence), then, () => void this.evidence(evidence, then))
  }

  private async save(
    what: 'tap' | 'photo' | 'signature', send: () => Promise<Answer>, then: (saved_at: string) => void, again: () => void,
  ): Promise<void> {
    if (this.saving) return // one thing at a time: a second press while waiting is the same press
    this.saving = what
    this.not_saved = null
    const answer = await send()
    this.saving = null
    if (answer.is === 'saved') then(answer.saved.saved_at)
    else this.not_saved = { words: refusalWords(answer), again: answer.is === 'no_answer' ? again : null }
  }

  private hear(view: CabView): void {
    if (this.view && view.revision < this.view.revision && Date.parse(view.now) < Date.parse(this.view.now)) return
    const stood = this.view?.motion === 'halted' || this.view?.motion === 'parked'
    this.view = view
    this.heard_ms = this.beat = performance.now()
    if (view.motion === 'moving') this.startDriving()
    // Seen to stand, and at work on a stop: losing GPS at the door does not lock the work away.
    if (view.motion === 'unknown' && stood && this.page.is !== 'drive') this.is_parked_by_word = true
    this.lookAtOffer(view)
    void this.lookUp(view.route_version)
  }

  /** A new offer comes up by itself where nothing else is asked of the driver: parked, between two stops, on the map. */
  private lookAtOffer(view: CabView): void {
    const { offer } = view
    if (this.page.is === 'offer' && !offer) this.page = { is: 'drive' }
    if (!offer || view.motion !== 'parked' || this.page.is !== 'drive' || offer.number === this.shown_offer) return
    if (view.is_within_reach || this.next?.phase === 'arrived') return
    this.shown_offer = offer.number
    this.open({ is: 'offer' })
  }

  /** Fetch what the view only points to: a newer route, and the map until it is known. One look at a time. */
  private async lookUp(route_version: number): Promise<void> {
    if (this.is_looking) return
    this.is_looking = true
    if (route_version !== this.looked_for) {
      const route = await fetchRoute()
      if (route) [this.route, this.looked_for] = [route, route_version]
    }
    const offered = this.view?.offer?.number
    if (offered && offered !== this.offer_route?.number) this.offer_route = await fetchOfferRoute()
    this.map ??= await fetchMap()
    // Without the texts the panel has arrows and names; they are asked for again at the next look.
    if (this.route?.manoeuvres.length) this.wording ??= await loadWording(locale).catch(() => null)
    this.is_looking = false
  }

  /** The van moves: back to the map, and whatever was being done is kept. */
  private startDriving(): void {
    this.is_parked_by_word = false
    this.asks_parked = null
    // "Saved" asks for nothing and goes by itself; all else waits until the van stands again.
    if (this.page.is !== 'drive' && this.page.is !== 'saved') this.page = { is: 'drive' }
  }

  /** Begin to listen; called once, by the page. */
  start(): () => void {
    const stopListening = listenToAgent(
      (view) => this.hear(view),
      (is_answering) => {
        this.is_answering = is_answering
        if (!is_answering) this.looked_for = -1 // an agent that starts again counts its routes anew
      },
    )
    const ticking = setInterval(() => (this.beat = performance.now()), 500)
    const stopReading = readCodes((code) => void this.scanned(code))
    const stopTheme = $effect.root(() => {
      $effect(() => {
        applyTheme(this.theme)
        this.shown_theme = this.theme
      })
    })
    return () => {
      stopListening()
      clearInterval(ticking)
      stopReading()
      stopTheme()
    }
  }
}

export const isOpen = (stop: StopView): boolean => stop.phase === 'open' || stop.phase === 'arrived'

export const cab = new Cab()
