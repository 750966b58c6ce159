/** What a label says of the stop that can be made of it, a line each. */

import type { CabView, Filled, LabelStopView, OfLabel } from '../kit/generated/cab.ts'
import type { IconName } from '../kit/icons.ts'
import { clock } from '../kit/time.ts'
import type { t as words } from './words.ts'

export interface LabelFact {
  icon: IconName
  words: string
  tone: 'plain' | 'watch' | 'late'
}

type T = typeof words

export function labelFacts(stop: LabelStopView, view: CabView, locale: string, t: T): LabelFact[] {
  const facts: LabelFact[] = []
  if (stop.window) facts.push({ icon: 'clock', words: windowWords(stop.window, view, locale, t), tone: 'plain' })
  else facts.push({ icon: 'clock', words: t('label_no_window'), tone: 'plain' })
  const leave = leaveWords(stop.found, t)
  if (leave) facts.push({ icon: 'house', words: leave, tone: 'plain' })
  if (stop.wants_signature) facts.push({ icon: 'pen', words: t('label_signature'), tone: 'plain' })
  if (stop.found.is_dangerous) facts.push({ icon: 'warningDiamond', words: t('label_dangerous'), tone: 'late' })
  const is_sure = stop.found.placed_by === 'label' || stop.found.placed_by === 'door' || stop.found.placed_by === 'list'
  facts.push({ icon: 'mapPin', words: t(`label_placed_${stop.found.placed_by}`), tone: is_sure ? 'plain' : 'watch' })
  return facts
}

/** Whether it may be put down where nobody takes it; empty where the label does not say. */
export const leaveWords = (found: OfLabel, t: T): string =>
  found.may_leave === null ? '' : t(found.may_leave ? 'label_leave' : 'label_no_leave')

/** "Window added, phone added" for what a label gave to a listed stop. */
export const filledWords = (filled: readonly Filled[], locale: string, t: T): string =>
  t('label_filled', { what: new Intl.ListFormat(locale, { type: 'unit' }).format(filled.map((one) => t(`filled_${one}`))) })

function windowWords(window: { opens_at: string; closes_at: string }, view: CabView, locale: string, t: T): string {
  const from = clock(window.opens_at, view.timezone, locale)
  // The end of a day reads as its last minute rather than as the first of the next.
  const closes = new Date(window.closes_at)
  const to = clock(new Date(closes.getTime() - (isMidnight(closes, view.timezone) ? 60_000 : 0)).toISOString(), view.timezone, locale)
  return t('label_window', { from, to })
}

function isMidnight(at: Date, timezone: string): boolean {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
  return parts === '00:00'
}
