/** A canned agent: it answers like the van's own server, keeps what it is given in memory, and fails when told to. */

import { createHash } from 'node:crypto'

import type { CabView, StepView, StopView } from '../kit/generated/cab.ts'
import { day } from './town.ts'

/** How the next taps are answered. */
export type Mood = 'well' | 'silent' | 'full' | 'refuses'

export interface Reply {
  status: number
  body: unknown
}

export type CannedTap = { kind: string; tap_id: string; stop_id: string; offer?: number; percent?: number; reason?: StopView['reason']; outcome?: StopView['outcome'] }

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
      return { saved_at: now, tap_id: tap.tap_id, sha256: null }
    })
  }

  private read(charge_pct: number, read_at: string): void {
    const { plan } = this.view
    if (plan?.energy) this.change({ plan: { ...plan, energy: { ...plan.energy, charge_pct, read_at } } })
  }

  evidence(stop_id: string, kind: StepView['kind'], tap_id: string, signed_by: string, bytes: Buffer): Reply | null {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return this.answer(tap_id, { kind, stop_id, signed_by, size_bytes: bytes.length }, () => {
      const stop = this.view.stops.find((each) => each.stop_id === stop_id)
      const steps = (stop?.steps ?? []).map((step) =>
        step.kind === kind ? { ...step, taken_at: this.view.now, sha256, signed_by } : step,
      )
      this.changeStop(stop_id, { steps, is_ready_to_close: steps.every((step) => step.taken_at) })
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

  private changeStop(stop_id: string, patch: Partial<StopView>): void {
    this.change({ stops: this.view.stops.map((stop) => (stop.stop_id === stop_id ? { ...stop, ...patch } : stop)) })
  }

  private close(stop_id: string, patch: Partial<StopView>): void {
    this.changeStop(stop_id, patch)
    const open = this.view.stops.filter((stop) => stop.phase === 'open' || stop.phase === 'arrived')
    this.change({ next_stop_id: open[0]?.stop_id ?? null, done: this.view.total - open.length, is_within_reach: false })
  }
}
