/** What the search finds: vans by number or driver, stops by order, door or name. */

import type { StopRow, VanView } from '../kit/generated/console.ts'
import { NO_FILTER } from './address.ts'
import { fits, plain } from './stops.ts'
import { vanNumber } from './vans.ts'

export type Hit = { is: 'van'; van: VanView } | { is: 'stop'; stop: StopRow }

const MOST_VANS = 4
const MOST_STOPS = 6

export function find(text: string, vans: Iterable<VanView>, stops: Iterable<StopRow>): Hit[] {
  const wanted = plain(text).trim()
  if (!wanted) return []
  const hits: Hit[] = []
  for (const van of vans) {
    const is_number = vanNumber(van.van) === wanted || plain(van.van) === wanted
    if (!is_number && !plain(`${van.van} ${van.driver}`).includes(wanted)) continue
    if (is_number) hits.unshift({ is: 'van', van })
    else hits.push({ is: 'van', van })
  }
  const found: Hit[] = []
  const filter = { ...NO_FILTER, text }
  for (const stop of stops) {
    if (found.length === MOST_STOPS) break
    if (fits(stop, filter)) found.push({ is: 'stop', stop })
  }
  return [...hits.slice(0, MOST_VANS), ...found]
}
