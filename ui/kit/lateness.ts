/** How a stop stands against its window, as a sign and a sentence. */

import type { Eta, Punctuality, Window } from './generated/cab.ts'
import type { Translate } from './messages/index.ts'

export interface Standing {
  window: Window | null
  eta: Eta | null
  punctuality: Punctuality
  minutes_off: number | null
}

export type Sign = 'dot' | 'left' | 'diamond' | 'right' | 'none'

const SIGNS: Record<Punctuality, Sign> = {
  unknown: 'none',
  early: 'left',
  on_time: 'dot',
  tight: 'diamond',
  late: 'right',
}

export const signOf = (punctuality: Punctuality): Sign => SIGNS[punctuality]

/** Whole minutes before the window opens (early) or past its end (late); null where the words need no number. */
export function minutesOff(stop: Standing): number | null {
  if (stop.punctuality === 'late') return stop.minutes_off === null ? null : Math.abs(stop.minutes_off)
  if (stop.punctuality !== 'early') return null
  if (stop.window && stop.eta) {
    const ahead = Math.round((Date.parse(stop.window.opens_at) - Date.parse(stop.eta.p50)) / 60_000)
    if (ahead > 0) return ahead
  }
  return stop.minutes_off === null ? null : Math.abs(stop.minutes_off)
}

/** "On time", "4 min early", "Tight", "3 min late", or why there is nothing to say. */
export function latenessWords(stop: Standing, t: Translate): string {
  const minutes = minutesOff(stop)
  switch (stop.punctuality) {
    case 'early':
      return minutes === null ? t('early') : t('minutes_early', { n: minutes })
    case 'late':
      return minutes === null ? t('late') : t('minutes_late', { n: minutes })
    case 'tight':
      return t('tight')
    case 'on_time':
      return t('on_time')
    default:
      return stop.window ? t('no_eta') : t('no_window')
  }
}
