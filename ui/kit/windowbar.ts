/** The window bar's geometry: where window, likely range and expected time lie on an axis, as fractions of it. */

import type { Eta, Punctuality, Window } from './generated/cab.ts'

export interface Axis {
  /** Both ends in epoch milliseconds. */
  from_ms: number
  to_ms: number
}

export interface Band {
  start: number
  end: number
  /** Outside the window: drawn hatched. */
  is_outside: boolean
}

export interface Bar {
  window: { start: number; end: number } | null
  bands: Band[]
  /** The expected time. */
  tick: number | null
}

export type BarTone = 'route' | 'watch' | 'late' | 'done'

const clamp = (fraction: number): number => Math.min(1, Math.max(0, fraction))

/** The axis of a bar that stands alone: exactly the window, or longer where the range passes it. */
export function ownAxis(window: Window | null, eta: Eta | null): Axis | null {
  const ends = [window?.opens_at, window?.closes_at, eta?.p10, eta?.p90].filter((at) => at != null).map(Date.parse)
  if (!ends.length) return null
  const from_ms = Math.min(...ends)
  const to_ms = Math.max(...ends)
  return { from_ms, to_ms: to_ms > from_ms ? to_ms : from_ms + 60_000 }
}

/** Lay window and range on the axis. Without an expected time there is no band: the window alone is drawn. */
export function layBar(window: Window | null, eta: Eta | null, axis: Axis): Bar {
  const span_ms = axis.to_ms - axis.from_ms
  const at = (ms: number): number => clamp((ms - axis.from_ms) / span_ms)
  const laid = window ? { start: at(Date.parse(window.opens_at)), end: at(Date.parse(window.closes_at)) } : null
  if (!eta) return { window: laid, bands: [], tick: null }
  const [p10, p50, p90] = [at(Date.parse(eta.p10)), at(Date.parse(eta.p50)), at(Date.parse(eta.p90))]
  if (!laid) return { window: null, bands: [{ start: p10, end: p90, is_outside: false }], tick: p50 }
  const cuts = [p10, ...[laid.start, laid.end].filter((cut) => cut > p10 && cut < p90), p90]
  const bands = cuts.slice(1).map((end, i) => {
    const start = cuts[i] as number
    const middle = (start + end) / 2
    return { start, end, is_outside: middle < laid.start || middle > laid.end }
  })
  return { window: laid, bands, tick: p50 }
}

/** The band's colour by how the stop stands. */
export function barTone(punctuality: Punctuality, is_done = false): BarTone {
  if (is_done) return 'done'
  if (punctuality === 'late') return 'late'
  return punctuality === 'tight' ? 'watch' : 'route'
}
