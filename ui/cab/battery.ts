/** Whether the day can be finished with what is in the battery, in one line; null for a van whose charge is not looked at. */

import type { EnergyView } from '../kit/generated/cab.ts'
import { t } from './words.ts'

export function batteryWords(energy: EnergyView | null): { text: string; is_trouble: boolean } | null {
  if (energy === null) return null
  if (!energy.is_enough) return { text: t('battery_short'), is_trouble: true }
  const [next] = energy.charges
  if (next) return { text: t('battery_charge', { name: next.name, n: Math.round(next.to_pct) }), is_trouble: false }
  return { text: t('battery_lasts', { n: Math.round(energy.end_pct) }), is_trouble: false }
}
