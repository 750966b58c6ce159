/** Which stops a list shows and in what order. Rows are values that never change, so what is worked out is kept by row. */

import type { StopRow, VanView } from '../kit/generated/console.ts'
import type { StopFilter } from './address.ts'

const searchable = new WeakMap<StopRow, string>()
const times = new WeakMap<StopRow, number>()

/** Without accents and capitals: "sao joao" finds "São João". */
export const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

function textOf(row: StopRow): string {
  let text = searchable.get(row)
  if (text === undefined) {
    const { number, street, postcode, city } = row.address
    text = plain(`${number} ${street} ${number} ${postcode} ${city} ${row.order_ref} ${row.recipient_name} ${row.van ?? ''}`)
    searchable.set(row, text)
  }
  return text
}

/** When a stop happens, or happened: what a list of the day is sorted by. */
function time_ms(row: StopRow): number {
  let at = times.get(row)
  if (at === undefined) {
    const known = row.closed_at ?? row.eta?.p50 ?? row.window?.opens_at
    at = known === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(known)
    times.set(row, at)
  }
  return at
}

export function fits(row: StopRow, filter: StopFilter): boolean {
  if (filter.status && row.status !== filter.status) return false
  if (filter.van && row.van !== filter.van) return false
  if (filter.is_flagged && !row.is_flagged) return false
  if (!filter.text.trim()) return true
  const text = textOf(row)
  return plain(filter.text).trim().split(/\s+/).every((word) => text.includes(word))
}

/** The rows that fit, by time; of one van, in the order it drives them. */
export function listed(rows: Iterable<StopRow>, filter: StopFilter, van: VanView | null): StopRow[] {
  const found: StopRow[] = []
  for (const row of rows) if (fits(row, filter)) found.push(row)
  if (van) {
    const place = new Map(van.stop_ids.map((stop_id, i) => [stop_id, i]))
    const at = (row: StopRow): number => place.get(row.stop_id) ?? (row.closed_at ? -1 : Number.MAX_SAFE_INTEGER)
    return found.sort((a, b) => at(a) - at(b) || time_ms(a) - time_ms(b))
  }
  return found.sort((a, b) => time_ms(a) - time_ms(b) || (a.stop_id < b.stop_id ? -1 : 1))
}

/** "14" of "stop 14 of 31": its place in the van's day, null once the stop is closed or while nobody has planned it. */
export function placeInDay(row: StopRow, van: VanView | null): number | null {
  const index = van?.stop_ids.indexOf(row.stop_id) ?? -1
  return van && index >= 0 ? van.stops_done + index + 1 : null
}

export interface Slice {
  first: number
  last: number
}

/** The rows to draw of a long list, with some to spare on both sides. */
export function slice(scroll_px: number, height_px: number, row_px: number, count: number, spare = 8): Slice {
  const first = Math.max(0, Math.floor(scroll_px / row_px) - spare)
  return { first, last: Math.min(count, Math.ceil((scroll_px + height_px) / row_px) + spare) }
}
