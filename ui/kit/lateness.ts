/** How a stop stands against its window, as a sign and a sentence. */

import type { Punctuality, Window } from './generated/cab.ts'
import type { Translate } from './messages/index.ts'

export interface Standing {
  window: Window | null
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

/** Whole minutes ahead of the plan (early) or past the window's end (late); null where the words need no number. */
export function minutesOff(stop: Standing): number | null {
  const hasNumber = stop.punctuality === 'early' || stop.punctuality === 'late'
  return hasNumber && stop.minutes_off !== null ? Math.abs(stop.minutes_off) : null
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
