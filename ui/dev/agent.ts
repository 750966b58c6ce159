/** A canned agent: it answers like the van's own server, keeps what it is given in memory, and fails when told to. */

import { createHash } from 'node:crypto'

import type { CabView, EvidenceKind, HandView, ParcelView, StepView, StopView } from '../kit/generated/cab.ts'
import { day, LABEL, OF_VAN_9 } from './town.ts'

/** How the next taps are answered. */
export type Mood = 'well' | 'silent' | 'full' | 'refuses'

export interface Reply {
  status: number
  body: unknown
}

export interface CannedTap {
  kind: string
  tap_id: string
  stop_id: string
  offer?: number
  percent?: number
  reason?: StopView['reason']
  outcome?: StopView['outcome']
  code?: string
  state?: ParcelView['state']
  pin?: string
  is_old_enough?: boolean
  note?: string
  amount_minor?: number
  name?: string
  counted?: number | null
}

/** The PIN that opens any canned door. */
const PIN = '4071'

export class CannedAgent {
  view: CabView = day(14)
  mood: Mood = 'well'
  /** Every answered tap by its id: the same id is answered again and not done again. */
  readonly answered = new Map<string, Reply>()
  taps: unknown[] = []
  private readonly listeners = new Set<(view: CabView) => void>()

  listen(listener: (view: CabView) => void): () => void {
    this.listeners.add(listener)
    listener(this.view)
    return () => this.listeners.delete(listener)
  }

  change(patch: Partial<CabView>): void {
    this.view = { ...this.view, ...patch, revision: this.view.revision + 1 }
    for (const listener of this.listeners) listener(this.view)
  }

  tap(tap: CannedTap): Reply | null {
    return this.answer(tap.tap_id, tap, () => {
      const now = this.view.now
      if (tap.kind === 'arrived') this.changeStop(tap.stop_id, { phase: 'arrived', arrived_at: now })
      else if (tap.kind === 'delivered')
        this.close(tap.stop_id, { phase: 'completed', outcome: tap.outcome ?? null, closed_at: now })
      else if (tap.kind === 'failed') this.close(tap.stop_id, { phase: 'failed', reason: tap.reason ?? null, closed_at: now })
      else if (tap.kind === 'accept') this.accept()
      else if (tap.kind === 'keep') this.change({ offer: null })
      else if (tap.kind === 'charge') this.read(tap.percent ?? 0, now)
      else if (tap.kind === 'skipped') this.changeStop(tap.stop_id, { is_skipped: true })
      else if (tap.kind === 'undo')
        this.changeStop(tap.stop_id, { phase: 'arrived', outcome: null, reason: null, closed_at: null }, { undo_until: null })
      else if (tap.kind === 'amend')
        this.changeStop(tap.stop_id, {
          outcome: tap.outcome ?? null, reason: tap.reason ?? null, phase: tap.reason ? 'failed' : 'completed', state: 'amended',
        })
      else if (tap.kind === 'label') this.change({ label: tap.code?.includes(OF_VAN_9.scan.code) ? OF_VAN_9 : LABEL })
      else if (tap.kind === 'make_stop') this.change({ label: null, total: this.view.total + 1 })
      else if (tap.kind === 'hand_over') this.close(tap.stop_id, { phase: 'completed', outcome: 'handed_over', closed_at: now })
      else if (tap.kind === 'dropped') this.change({ load: { ...this.view.load, drops: [] } })
      else if (tap.kind === 'release') this.changeStop(tap.stop_id, { release_to: null })
      else if (tap.kind === 'load') this.change({ load: { ...this.view.load, counted: tap.counted ?? null, checked_at: now } })
      else this.check(tap)
      return { saved_at: now, tap_id: tap.tap_id, sha256: null }
    })
  }

  private read(charge_pct: number, read_at: string): void {
    const { plan } = this.view
    if (plan?.energy) this.change({ plan: { ...plan, energy: { ...plan.energy, charge_pct, read_at } } })
  }

  /** What is done at the door beside pictures. */
  private check(tap: CannedTap): void {
    const stop = this.view.stops.find((each) => each.stop_id === tap.stop_id)
    if (!stop) return
    const hand = { ...stop.hand }
    const done = new Set<EvidenceKind>()
    if (tap.kind === 'scan') {
      const is_right = hand.parcels.some((parcel) => parcel.code === tap.code)
      hand.last_scan = {
        code: tap.code ?? '', verdict: is_right ? 'right' : 'not_this_stop', belongs_to: is_right ? tap.stop_id : 'stop-16', at: this.view.now, of_van: null,
      }
      hand.parcels = hand.parcels.map((parcel) => (parcel.code === tap.code ? { ...parcel, state: 'delivered', is_scanned: true } : parcel))
    } else if (tap.kind === 'mark')
      hand.parcels = hand.parcels.map((parcel) => (parcel.code === tap.code ? { ...parcel, state: tap.state ?? null } : parcel))
    else if (tap.kind === 'pin') {
      if (tap.pin === PIN) done.add('pin')
      hand.pin_tries_left -= 1
    } else if (tap.kind === 'age') {
      hand.is_old_enough = tap.is_old_enough ?? false
      if (hand.is_old_enough) done.add('age')
    } else if (tap.kind === 'note') {
      hand.note = tap.note ?? ''
      if (hand.note) done.add('note')
    } else if (tap.kind === 'cash') {
      hand.cash_taken_minor = tap.amount_minor ?? 0
      done.add('cash')
    } else if (tap.kind === 'way') {
      hand.way = tap.outcome ?? hand.way
      hand.way_name = tap.name ?? ''
    }
    if (hand.parcels.length && hand.parcels.every((parcel) => parcel.state)) done.add('scan')
    hand.nothing_handed_over = hand.parcels.length > 0 && hand.parcels.every((parcel) => parcel.state && parcel.state !== 'delivered')
    const steps = stop.steps.map((each) => (done.has(each.kind) ? { ...each, taken_at: this.view.now } : each))
    this.changeStop(stop.stop_id, { steps }, hand)
  }

  evidence(stop_id: string, kind: StepView['kind'], tap_id: string, signed_by: string, bytes: Buffer): Reply | null {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return this.answer(tap_id, { kind, stop_id, signed_by, size_bytes: bytes.length }, () => {
      const stop = this.view.stops.find((each) => each.stop_id === stop_id)
      const steps = (stop?.steps ?? []).map((step) =>
        step.kind === kind ? { ...step, taken_at: this.view.now, sha256, signed_by } : step,
      )
      this.changeStop(stop_id, { steps })
      return { saved_at: this.view.now, tap_id, sha256 }
    })
  }

  private answer(tap_id: string, said: object, apply: () => object): Reply | null {
    const before = this.answered.get(tap_id)
    if (before) return before
    if (this.mood === 'silent') return null
    if (this.mood === 'full') return { status: 507, body: { trouble: null, message: 'The disk is full.' } }
    if (this.mood === 'refuses')
      return { status: 409, body: { trouble: 'This stop is already closed.', message: 'This stop is already closed.' } }
    this.taps.push(said)
    const reply = { status: 200, body: apply() }
    this.answered.set(tap_id, reply)
    return reply
  }

  private accept(): void {
    const offered = new Map(this.view.offer?.stops.map((stop) => [stop.stop_id, stop]))
    const stops = this.view.stops.map((stop) => ({ ...stop, position: offered.get(stop.stop_id)?.after ?? stop.position }))
    const plan = this.view.plan && { ...this.view.plan, version: this.view.plan.version + 1, moved_stops: this.view.offer?.moved_stops ?? 0 }
    this.change({ offer: null, stops: stops.sort((a, b) => a.position - b.position), plan })
  }

  /** What is missing and what is only warned about follows from the steps, as it does in the van. */
  private changeStop(stop_id: string, patch: Partial<StopView>, hand: Partial<HandView> = {}): void {
    const changed = (stop: StopView): StopView => {
      const after = { ...stop, ...patch }
      const open = after.steps.filter((step) => !step.taken_at)
      const of = (rule: StepView['rule']) => open.filter((step) => step.rule === rule).map((step) => step.kind)
      const whole = { ...stop.hand, ...hand, missing: of('required'), warned: of('warn') }
      return { ...after, hand: whole, is_ready_to_close: !whole.missing.length && !whole.nothing_handed_over }
    }
    this.change({ stops: this.view.stops.map((stop) => (stop.stop_id === stop_id ? changed(stop) : stop)) })
  }

  private close(stop_id: string, patch: Partial<StopView>): void {
    this.changeStop(stop_id, patch, { undo_until: new Date(Date.parse(this.view.now) + 10_000).toISOString() })
    const open = this.view.stops.filter((stop) => stop.phase === 'open' || stop.phase === 'arrived')
    this.change({ next_stop_id: open[0]?.stop_id ?? null, done: this.view.total - open.length, is_within_reach: false })
  }
}
