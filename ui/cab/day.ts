/** Which rows of the day are seen, and on which axis of time. */

import type { StopView } from '../kit/generated/cab.ts'
import type { Axis } from '../kit/windowbar.ts'

/** The list opens at the next stop; with none, at the first open one, else at the end. */
export function firstRow(stops: readonly StopView[], next_stop_id: string | null): number {
  const next = stops.findIndex((stop) => stop.stop_id === next_stop_id)
  if (next >= 0) return next
  const open = stops.findIndex((stop) => stop.phase === 'open' || stop.phase === 'arrived')
  return open >= 0 ? open : Math.max(0, stops.length - 1)
}

/** One axis for the rows: all their windows and ranges and, unless it is hours away, now. */
export function dayAxis(stops: readonly StopView[], now_ms: number): Axis {
  const times = stops
    .flatMap((stop) => [stop.window?.opens_at, stop.window?.closes_at, stop.eta?.p10, stop.eta?.p90, stop.closed_at])
    .filter((at) => at != null)
    .map(Date.parse)
  const from_ms = Math.min(now_ms, ...times)
  const to_ms = Math.max(now_ms, ...times)
  const room_ms = Math.max((to_ms - from_ms) * 0.04, 120_000)
  return { from_ms: from_ms - room_ms, to_ms: to_ms + room_ms }
}
