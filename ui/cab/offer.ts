/** An offered order as what a driver can take in: one sentence, a few rows, and the piece of the round that changes. */

import type { CabView, MissWhy, MoveWhy, OfferRouteView, OfferView, OfferedStop, ReplanReason } from '../kit/generated/cab.ts'
import type { LonLat } from '../kit/map/layers.ts'
import type { t as say } from './words.ts'

type Say = typeof say

/** "2 stops move, 4 min sooner". */
export function offerHeadline(offer: Pick<OfferView, 'moved_stops' | 'gain_s'>, t: Say): string {
  const moves = t('offer_moves', { n: offer.moved_stops })
  const minutes = Math.round(offer.gain_s / 60)
  if (minutes > 0) return t('offer_sooner', { moves, m: minutes })
  if (minutes < 0) return t('offer_later', { moves, m: -minutes })
  return moves
}

/** What becomes of the windows: good, mixed or bad, with its words. */
export function windowsWords(
  offer: Pick<OfferView, 'late_before' | 'late_after'>, t: Say,
): { sign: 'dot' | 'diamond' | 'right'; words: string } {
  const { late_before, late_after } = offer
  if (late_after === 0 && late_before === 0) return { sign: 'dot', words: t('offer_all_kept') }
  if (late_after === 0) return { sign: 'dot', words: t('offer_saved_all', { n: late_before }) }
  if (late_after < late_before) return { sign: 'diamond', words: t('offer_fewer_late', { n: late_after, before: late_before }) }
  return { sign: 'right', words: t('offer_late', { n: late_after }) }
}

const OCCASIONS = {
  'manifest changed': 'because_list',
  'stop failed': 'because_failed',
  'stop skipped': 'because_put_off',
  'lateness at risk': 'because_late',
  'road closed': 'because_closed',
  'driver chose another stop': 'because_chosen',
  'asked by the coordinator': 'because_asked',
  'battery read': 'because_battery',
} as const satisfies Record<ReplanReason, string>

/** What made the van look for another order. */
export const occasionWords = (reason: ReplanReason, t: Say): string => t(OCCASIONS[reason])

/** Why a stop moves: "in time for its window", "4 min less driving". `door` is that of the stop it makes room for. */
export function moveWords(why: MoveWhy, saves_s: number, door: string | null, t: Say): string {
  const minutes = Math.round(saves_s / 60)
  if (why === 'nearer' && minutes > 0) return t('why_nearer_min', { m: minutes })
  if (why === 'waiting' && minutes > 0) return t('why_waiting_min', { m: minutes })
  if (why === 'room' && door) return t('why_room_for', { door })
  return t(`why_${why}`)
}

/** What binds where a stop is late. */
export function missWords(why: MissWhy, door: string | null, t: Say): string {
  if (why === 'other_window' && door) return t('miss_other_window_at', { door })
  return t(`miss_${why}`)
}

/** Rows of the list: those that move have a second line with the reason. */
export const MOVED_PX = 78
export const ROW_PX = 51

/** The rows to show, by pages: each page has moved stops and, where there is room, their neighbours, in the new order. */
export function offerPages(stops: readonly OfferedStop[], height_px: number): OfferedStop[][] {
  const moved = stops.filter((stop) => stop.why !== null)
  const per_page = Math.max(1, Math.floor((height_px - ROW_PX) / MOVED_PX))
  const pages: OfferedStop[][] = []
  for (let i = 0; i < moved.length; i += per_page) pages.push(moved.slice(i, i + per_page))
  return pages.map((page) => withNeighbours(page, stops, height_px))
}

function withNeighbours(page: readonly OfferedStop[], stops: readonly OfferedStop[], height_px: number): OfferedStop[] {
  const shown = new Set(page)
  let room_px = height_px - page.length * MOVED_PX
  const far = (stop: OfferedStop) => Math.min(...page.map((one) => Math.min(Math.abs(stop.after - one.after), Math.abs(stop.after - one.before))))
  const rest = stops.filter((stop) => stop.why === null).sort((a, b) => far(a) - far(b) || a.after - b.after)
  for (const stop of rest) {
    if (room_px < ROW_PX) break
    shown.add(stop)
    room_px -= ROW_PX
  }
  return stops.filter((stop) => shown.has(stop))
}

/** Which row each shown stop had before: its place among the shown ones in the old order. */
export function rowsBefore(shown: readonly OfferedStop[]): number[] {
  const old = [...shown].sort((a, b) => a.before - b.before)
  return shown.map((stop) => old.indexOf(stop))
}

export interface OfferSketch {
  /** The stops that change their place and one on each side, as they are and as they would be driven. */
  before: LonLat[]
  after: LonLat[]
  stops: { place: LonLat; before: number; after: number; is_moved: boolean; has_number: boolean }[]
  van: LonLat | null
}

const MOST_NUMBERED = 12

/** The piece of the round that changes, for the map; along the roads once the way is known. */
export function offerSketch(view: CabView, offer: OfferView, way: OfferRouteView | null = null): OfferSketch {
  const place_of = new Map(view.stops.map((stop): [string, LonLat] => [stop.stop_id, [stop.lon_deg, stop.lat_deg]]))
  const changed = offer.stops.filter((stop) => stop.before !== stop.after)
  const places = changed.flatMap((stop) => [stop.before, stop.after])
  const [first, last] = [Math.min(...places) - 1, Math.max(...places) + 1]
  const inside = offer.stops.filter((stop) => stop.after >= first && stop.after <= last)
  const line = (order: OfferedStop[]) => order.map((stop) => place_of.get(stop.stop_id)).filter((place) => place !== undefined)
  const van: LonLat | null = view.position ? [view.position.lon_deg, view.position.lat_deg] : null
  // The van is the beginning only where the next stop is among what changes.
  const start = van && first < Math.min(...offer.stops.map((stop) => stop.after)) ? [van] : []
  return {
    before: [...start, ...line([...inside].sort((a, b) => a.before - b.before))],
    after: way && way.number === offer.number && way.line.length > 1 ? way.line : [...start, ...line(inside)],
    stops: inside.map((stop) => ({
      place: place_of.get(stop.stop_id) ?? [0, 0],
      before: stop.before,
      after: stop.after,
      is_moved: stop.why !== null,
      has_number: stop.why !== null || inside.length <= MOST_NUMBERED,
    })),
    van: start.length > 0 ? van : null,
  }
}
