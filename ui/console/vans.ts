/** How vans are named, how old their news is, and which come first: trouble. */

import type { Freshness, VanView } from '../kit/generated/console.ts'

export const SHOWS = ['all', 'late', 'tight', 'silent'] as const
export type Show = (typeof SHOWS)[number]

const FADES_AFTER_MS = 60_000
const SILENT_AFTER_MS = 300_000

/** "7" of "van-7", for the marker; the end of the name where it has no number. */
export function vanNumber(van: string): string {
  return /(\d{1,4})$/.exec(van)?.[1] ?? van.split('-').pop()?.slice(0, 4) ?? van
}

/** Whether the name says no more than "van 7", so that it can be said in the reader's language. */
export const isPlainlyNumbered = (van: string): boolean => /^(van|vehicle)-?\d{1,4}$/.test(van)

/** How old the news is, in milliseconds; null before the first word. */
export function age_ms(van: VanView, now_ms: number): number | null {
  return van.heard_at === null ? null : Math.max(0, now_ms - Date.parse(van.heard_at))
}

/** The coordinator's rule, applied to this moment: news grows old here too while nothing comes in. */
export function freshness(van: VanView, now_ms: number): Freshness {
  const age = age_ms(van, now_ms)
  if (age === null) return 'never'
  if (age < FADES_AFTER_MS) return 'fresh'
  return age < SILENT_AFTER_MS ? 'fading' : 'silent'
}

/** Silent means: something is still to be done, and nothing is heard. */
export function isSilent(van: VanView, now_ms: number): boolean {
  const how = freshness(van, now_ms)
  return (how === 'silent' || how === 'never') && van.stop_ids.length > 0
}

export function isShown(van: VanView, show: Show, now_ms: number): boolean {
  if (show === 'all') return true
  return show === 'silent' ? isSilent(van, now_ms) : van.punctuality === show
}

const natural = new Intl.Collator('en', { numeric: true })

function rank(van: VanView, now_ms: number): number {
  if (van.punctuality === 'late') return 0
  if (van.punctuality === 'tight') return 1
  return isSilent(van, now_ms) ? 2 : 3
}

/** Late (most first), tight, silent, then the rest by number. */
export function troubleFirst(vans: Iterable<VanView>, now_ms: number): VanView[] {
  return [...vans].sort(
    (a, b) => rank(a, now_ms) - rank(b, now_ms) || b.minutes_late - a.minutes_late || natural.compare(a.van, b.van),
  )
}

/** How much of its day a van has done, 0 to 1. */
export const share = (van: VanView): number => (van.stops_total ? van.stops_done / van.stops_total : 0)
