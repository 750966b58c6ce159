/** Facts of the picture as words in the reader's language. */

import type { Eta, HistoryRow, Punctuality, StopPage, StopRow, Suggestion, VanView, TransferView } from '../kit/generated/console.ts'
import { latenessWords, signOf, type Sign } from '../kit/lateness.ts'
import { clock, clockRange, dayName, distance } from '../kit/time.ts'
import { age_ms, freshness, isPlainlyNumbered, isSilent, vanNumber } from './vans.ts'
import { language, locale, t } from './words.ts'

/** "Van 7", or the name as it is where it says more than a number. */
export const vanWords = (van: string): string => (isPlainlyNumbered(van) ? t('van_n', { n: vanNumber(van) }) : van)

/** The same within a sentence. */
export const midVanWords = (van: string): string => (isPlainlyNumbered(van) ? t('van_n_mid', { n: vanNumber(van) }) : van)

/** "7 s", "1 min 20 s", "6 min", "2 h 5 min": as exact as it is young. */
export function ageWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const minutes = Math.floor(seconds / 60)
  if (seconds < 60) return t('seconds', { n: seconds })
  if (minutes < 5 && seconds % 60) return t('minutes_seconds', { m: minutes, s: seconds % 60 })
  if (minutes < 60) return t('minutes', { n: minutes })
  return t('hours_minutes', { h: Math.floor(minutes / 60), m: minutes % 60 })
}

/** The same, but to the second for up to an hour: for how long a record took to arrive. */
export function exactAgeWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60 || seconds >= 3600 || seconds % 60 === 0) return ageWords(seconds * 1000)
  return t('minutes_seconds', { m: Math.floor(seconds / 60), s: seconds % 60 })
}

/** How old a van's news is: "7 s", "6 min ago", "no word yet". */
export function newsWords(van: VanView, now_ms: number): string {
  const age = age_ms(van, now_ms)
  if (age === null) return t('no_word_yet')
  return freshness(van, now_ms) === 'silent' ? t('ago', { age: ageWords(age) }) : ageWords(age)
}

/** Why a van tells no position, or nothing while it does. */
export function offDutyWords(van: VanView): string | null {
  switch (van.off_duty) {
    case 'paused':
      return t('off_duty_paused')
    case 'not begun':
      return t('off_duty_not_begun')
    case 'shift over':
      return t('off_duty_shift_over')
    default:
      return null
  }
}

/** What the van suggested to its driver last, and what became of it. */
export function suggestionWords(suggestion: Suggestion, timezone: string): string {
  const minutes = Math.round(suggestion.gain_s / 60)
  const gain = minutes === 0 ? t('gain_none') : t(minutes > 0 ? 'gain_sooner' : 'gain_later', { m: Math.abs(minutes) })
  const at = clock(suggestion.since, timezone, locale)
  return t(`suggestion_${suggestion.state}`, { n: suggestion.moved_stops, gain, at })
}

export interface Verdict {
  sign: Sign | 'silent'
  words: string
}

/** How a van stands, in one sign and a word or two. */
export function vanVerdict(van: VanView, next: StopRow | null, now_ms: number): Verdict {
  if (van.stops_total === 0) return { sign: 'none', words: t('no_stops_yet') }
  if (van.stop_ids.length === 0) return { sign: 'dot', words: t('all_done') }
  const is_trouble = van.punctuality === 'late' || van.punctuality === 'tight'
  if (!is_trouble && isSilent(van, now_ms)) return { sign: 'silent', words: t('silent') }
  const minutes_off = van.punctuality === 'late' ? van.minutes_late : (next?.minutes_off ?? null)
  return verdictOf(van.punctuality, minutes_off)
}

function verdictOf(punctuality: Punctuality, minutes_off: number | null): Verdict {
  return { sign: signOf(punctuality), words: latenessWords({ window: WINDOW_KNOWN, punctuality, minutes_off }, t) }
}
/** Only whether there is one counts for the words, and a van's verdict is about time, never about a missing window. */
const WINDOW_KNOWN = { opens_at: '', closes_at: '', is_hard: false }

export const doorWords = (stop: StopRow): string => `${stop.address.number} ${stop.address.street}`.trim() || stop.order_ref

/** "40131, from Beatriz Fontes" parts that are there, joined. */
export const joined = (...parts: (string | null | undefined | false)[]): string => parts.filter(Boolean).join(' · ')

export function goodsWords(page: StopPage): string {
  if (page.items.length === 0) return t('parcels', { n: page.amount.parcels })
  if (page.items.length > 4) return t('items', { n: page.items.length })
  return new Intl.ListFormat(locale, { type: 'unit', style: 'short' }).format(page.items)
}

export function etaWords(eta: Eta, timezone: string): string {
  const at = clock(eta.p50, timezone, locale)
  return eta.times === 'estimate' ? t('estimate', { at }) : at
}

/** "14:51–15:12, as this van has learned, until 14:21": the likely range, what it rests on and how old that is. */
export function basisWords(eta: Eta, timezone: string): string {
  const range = rangeWords(eta, timezone)
  if (!eta.basis || !eta.basis_at) return range
  const is_today = Date.parse(eta.as_of) - Date.parse(eta.basis_at) < 12 * 3_600_000
  const at = is_today ? clock(eta.basis_at, timezone, locale) : dayName(eta.basis_at, timezone, locale)
  return t(`basis_${eta.basis}`, { range, at })
}

/** "14:51–15:12", the likely range. */
export const rangeWords = (eta: Eta, timezone: string): string => clockRange(eta.p10, eta.p90, timezone, locale)

/** The window and the expected or actual time as a sentence, for those who hear the bar. */
export function barWords(stop: StopRow, timezone: string): string {
  const known = stop.eta?.p50 ?? stop.closed_at
  const at = known ? clock(known, timezone, locale) : ''
  if (!stop.window) return known ? t('window_label_none', { at }) : t('no_eta')
  const from = clock(stop.window.opens_at, timezone, locale)
  const to = clock(stop.window.closes_at, timezone, locale)
  return known ? t('window_label', { from, to, at }) : t('window_label_no_eta', { from, to })
}

/** "Delivered", "Nobody home", "To do": what became of a stop. */
export function outcomeWords(stop: StopRow): string {
  if (stop.status === 'completed' && stop.outcome) return t(`outcome_${stop.outcome}`)
  if (stop.status === 'failed' && stop.reason) return `${t('status_failed')}: ${t(`reason_${stop.reason}`)}`
  return t(`status_${stop.status}`)
}

/** Where a stop is on its way to another van; nothing where there is nothing to say. */
export function transferWords(transfer: TransferView): string {
  const { given, taken, end, why, meeting_id } = transfer
  const names = { from: midVanWords(transfer.from_van), to: midVanWords(transfer.to_van) }
  if (given && taken === false) return t('transfer_differs', names)
  if (given === false && taken) return t('transfer_both', names)
  if (end === 'kept') {
    const known = (['aboard', 'at_the_door', 'driver', 'not_handed'] as const).find((one) => one === why)
    return t(`transfer_kept_${known ?? 'driver'}`, names)
  }
  if (end) return t(`transfer_${end}`, names)
  if (given) return t('transfer_given', names)
  if (taken) return t('transfer_taken', names)
  return t(meeting_id === null ? 'transfer_asked' : 'transfer_meeting', names)
}

/** How a stop stood or will stand, with its sign. */
export function stopVerdict(stop: StopRow): Verdict {
  if (stop.status === 'unassigned' || stop.status === 'cancelled' || stop.status === 'failed')
    return { sign: 'none', words: t(`status_${stop.status}`) }
  if (stop.status !== 'planned' && stop.punctuality === 'on_time' && stop.minutes_off !== null && stop.minutes_off < 0)
    return { sign: 'dot', words: t('on_time') }
  return { sign: signOf(stop.punctuality), words: latenessWords(stop, t) }
}

/** "12 m from the address". */
export const distanceWords = (metres: number): string => t('from_address', { d: distance(metres, locale) })

/** What kind of record: "Photo taken"; the record's own name where we do not know it. */
export function recordTitle(row: HistoryRow, page: StopPage): string {
  if (isClosing(row, page)) return outcomeWords(page.stop)
  switch (row.kind) {
    case 'stop.arrived':
      return t('ev_arrived')
    case 'stop.completed':
      return t('ev_completed')
    case 'stop.failed':
      return t('ev_failed')
    case 'stop.skipped':
      return t('ev_skipped')
    case 'plan.accepted':
      return t('ev_plan')
    case 'proof.captured':
      if (row.detail.startsWith('photo')) return t('ev_photo')
      return row.detail.startsWith('signature') ? t('ev_signature') : t('ev_proof')
    case 'stop.reopened':
      return t('ev_reopened')
    case 'stop.departed':
      return t('ev_departed')
    case 'duty.changed':
      return t('ev_duty')
    case 'stop.amended':
      return t('ev_amended')
    case 'stop.released':
      return t('ev_released')
    case 'stop.kept':
      return t('ev_kept')
    case 'goods.dropped':
      return t('ev_dropped')
    case 'goods.handed':
      return t('ev_handed')
    case 'parcel.scanned':
      return t('ev_scanned')
    case 'check.done':
      return t('ev_checked')
    default:
      return row.kind
  }
}

/** Whether this record is the one that closed the stop, so that its outcome is the page's. */
function isClosing(row: HistoryRow, page: StopPage): boolean {
  const { status, closed_at } = page.stop
  return row.kind === `stop.${status}` && closed_at !== null && row.captured_at === closed_at
}

/** What a record says, in the reader's language as far as the page itself knows it; else as the coordinator wrote it. */
export function recordDetail(row: HistoryRow, page: StopPage): string {
  if (isClosing(row, page)) return page.received_by
  if (row.kind === 'proof.captured') {
    const piece = page.evidence.find((each) => each.captured_at === row.captured_at && row.detail.startsWith(each.kind))
    if (piece) return joined(piece.signed_by, kilobytes(piece.size_bytes))
  }
  const metres = /^(\d+) m from the address$/.exec(row.detail)?.[1]
  return metres ? distanceWords(Number(metres)) : row.detail
}

export const kilobytes = (bytes: number): string =>
  (bytes / 1000).toLocaleString(locale, { style: 'unit', unit: 'kilobyte', maximumFractionDigits: bytes < 10_000 ? 1 : 0 })

export const number = (value: number): string => value.toLocaleString(locale)

/** As it stands within a sentence; German keeps the capitals of its nouns. */
export const midSentence = (words: string): string => (language === 'de' ? words : words.toLocaleLowerCase(locale))

/** "Photo and Signature". */
export const listWords = (parts: string[]): string => new Intl.ListFormat(locale, { type: 'conjunction' }).format(parts)
