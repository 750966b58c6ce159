/** Facts of the view as words in the driver's language. */

import type { CabView, Eta, MeetingView, StopView, Trouble } from '../kit/generated/cab.ts'
import { clock, distance } from '../kit/time.ts'
import { isWorry, isWorthSaying } from '../kit/waiting.ts'
import type { Answer } from './server.ts'
import { locale, t } from './words.ts'

/** "14:43", or "about 14:43" when it rests on the straight line and not on roads. */
export function etaWords(eta: Eta, timezone: string): string {
  const at = clock(eta.p50, timezone, locale)
  return eta.times === 'estimate' ? t('estimate', { at }) : at
}

/** "294 Rua do Almada". */
export const doorWords = (stop: StopView): string => `${stop.address.number} ${stop.address.street}`.trim() || stop.order_ref

/** "van 2" within a sentence; a van with another name by its name. */
export function vanWords(van: string): string {
  const n = /^van-(\d+)$/.exec(van)?.[1]
  return n ? t('van_n', { n }) : van
}

/** "Give 2 stops to van 2": what a meeting of two vans is for. */
export const meetingWords = (meeting: MeetingView, n = meeting.stop_ids.length): string =>
  t(`meet_${meeting.side}`, { n, van: vanWords(meeting.other_van) })

/** What is handed over: the named items, or how many parcels; at a meeting, to whom or from whom. */
export const goodsWords = (stop: StopView): string =>
  stop.meeting ? meetingWords(stop.meeting) : stop.items.length ? t('items', { n: stop.items.length }) : t('parcels', { n: stop.amount.parcels })

/** "2 parcels and 1 envelope". */
export const goodsSentence = (stop: StopView): string => {
  if (stop.items.length === 0 || stop.items.length > 3) return goodsWords(stop)
  return new Intl.ListFormat(locale, { type: 'conjunction' }).format(stop.items)
}

/** "Beatriz Fontes · 3 items". */
export const whoWords = (stop: StopView): string =>
  [stop.meeting ? '' : stop.recipient_name, goodsWords(stop)].filter(Boolean).join(' · ')

/** Why no open road leads to the stop; empty where one does. */
export const placeWords = (stop: StopView): string => (stop.place_trouble ? t(`place_${stop.place_trouble}`) : '')

/** The window and the expected time as a sentence, for those who hear the bar. */
export function barWords(stop: StopView, timezone: string): string {
  const at = stop.eta ? clock(stop.eta.p50, timezone, locale) : ''
  if (!stop.window) return stop.eta ? t('window_label_none', { at }) : t('no_eta')
  const from = clock(stop.window.opens_at, timezone, locale)
  const to = clock(stop.window.closes_at, timezone, locale)
  return stop.eta ? t('window_label', { from, to, at }) : t('window_label_no_eta', { from, to })
}

/** "14:43 · 500 m" under the round after next. */
export function afterWords(stop: StopView, timezone: string): string {
  const parts = [stop.eta ? etaWords(stop.eta, timezone) : t('no_eta')]
  if (stop.travel_m !== null) parts.push(distance(stop.travel_m, locale))
  return parts.join(' · ')
}

export interface LinkWords {
  text: string
  is_online: boolean
  /** The oldest of what waits has waited too long. */
  is_worry: boolean
}

/** "6 min", "2 h 5 min". */
function ageWords(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? t('age_min', { n: minutes }) : t('age_h', { h: Math.floor(minutes / 60), m: minutes % 60 })
}

/** "Online", "Online · 3 waiting · up to 6 min", "Offline since 14:05 · 12 waiting", or "Offline · 12 waiting · up to 1 h 5 min". */
export function linkWords(view: CabView, now_ms: number): LinkWords {
  const { is_online, since, waiting, oldest_waiting_s } = view.link
  // It grows while the agent has nothing new to say.
  const oldest_s = oldest_waiting_s === null ? null : oldest_waiting_s + Math.max(0, now_ms - Date.parse(view.now)) / 1000
  const oldest = isWorthSaying(oldest_s) ? t('waiting_oldest', { age: ageWords(oldest_s) }) : ''
  const is_worry = isWorry(oldest_s)
  if (is_online) {
    // A few rows are always just on their way; they become news when they are many, or when they stay.
    if (oldest) return { is_online, is_worry, text: joined(t('online'), t('waiting', { n: waiting }), oldest) }
    return { is_online, is_worry, text: joined(t('online'), waiting > 25 ? t('sending', { n: waiting }) : '') }
  }
  // Since when we are offline tells how old things are at most; when that is a worry, the age says it instead.
  const waits = waiting ? t('waiting', { n: waiting }) : ''
  if (is_worry || !since) return { is_online, is_worry, text: joined(t('offline'), waits, oldest) }
  return { is_online, is_worry, text: joined(t('offline_since', { at: clock(since, view.timezone, locale) }), waits) }
}

const joined = (...parts: string[]): string => parts.filter(Boolean).join(' · ')

const TROUBLES: Record<Trouble, () => string> = {
  "This stop is not on today's list.": () => t('trouble_unknown'),
  'This stop is already closed.': () => t('trouble_closed'),
  'Proof is still missing for this stop.': () => t('trouble_proof'),
  'There is no list for today yet.': () => t('trouble_no_list'),
  'This suggestion is no longer there.': () => t('trouble_offer_gone'),
  'The van is moving: the next stop stays.': () => t('trouble_moving'),
  'The way ahead is not known, so no road can be closed.': () => t('trouble_no_way'),
  'A reason is wanted for what was not done.': () => t('trouble_reason'),
  'The van is too far from this address.': () => t('trouble_too_far'),
  'The place cannot be proven while you are paused. Go on first.': () => t('trouble_paused'),
  "The neighbour's name or door is wanted.": () => t('trouble_name'),
  'No parcel of this stop was handed over.': () => t('trouble_nothing'),
  'The PIN was wrong too often.': () => t('trouble_pin_locked'),
  'This stop does not ask for that.': () => t('trouble_not_asked'),
  'It is too late to take that back.': () => t('trouble_too_late'),
  'This stop is not closed.': () => t('trouble_not_closed'),
  'Please scan this label again.': () => t('trouble_label_gone'),
  'These goods are still on another van. Take them over first.': () => t('trouble_not_taken'),
  'These goods were given to another van.': () => t('trouble_passed_on'),
  'No goods change vans at this stop.': () => t('trouble_no_meeting'),
  'Nobody asks for this stop any more.': () => t('trouble_not_asked_for'),
}

/** "24,50 €" in the driver's language. */
export function money(amount_minor: number, currency: string): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  return format.format(amount_minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** Where the van stands, as far as the rule for the place cares. */
export function placeRuleWords(hand: StopView['hand']): string {
  return t(`place_${hand.place}`, { d: hand.distance_m === null ? '' : distance(hand.distance_m, locale) })
}

/** What becomes of the goods if the stop fails now; empty where nothing is aboard. */
export function nextStepWords(hand: StopView['hand']): string {
  return hand.next_step ? t(`step_${hand.next_step}`, { where: hand.pickup_point }) : ''
}

/** Why something was not saved. */
export function refusalWords(answer: Exclude<Answer, { is: 'saved' }>): string {
  if (answer.is === 'no_answer') return t('no_answer')
  if (answer.is_full) return t('disk_full')
  return answer.why.trouble ? TROUBLES[answer.why.trouble]() : answer.why.message
}
