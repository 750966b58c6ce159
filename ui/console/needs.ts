/** What needs a person, worked out from the picture alone. Most pressing first. */

import type { Ending, Misplaced, StopRow, TransferView, VanView } from '../kit/generated/console.ts'
import { isWorry } from '../kit/waiting.ts'
import { isSilent } from './vans.ts'

/** `since_ms`: when it began, null where nobody knows. */
export type Need =
  | { is: 'late'; key: string; stop: StopRow; more: number; has_ended: boolean; since_ms: number | null }
  | { is: 'silent'; key: string; van: VanView; since_ms: number | null }
  | { is: 'ending'; key: string; ending: Ending; since_ms: null }
  | { is: 'flagged'; key: string; stop: StopRow; since_ms: number | null }
  | { is: 'kept'; key: string; stop: StopRow; transfer: TransferView; since_ms: number }
  | { is: 'one_sided'; key: string; stop: StopRow; transfer: TransferView; since_ms: number }
  | { is: 'proof'; key: string; stop: StopRow; since_ms: number | null }
  | { is: 'waiting'; key: string; van: VanView; since_ms: number }
  | { is: 'alarm'; key: string; van: VanView; alarm: NeededAlarm; since_ms: null }
  | { is: 'blocked'; key: string; van: VanView; until: string; since_ms: null }
  | { is: 'misplaced'; key: string; stop: StopRow; misplaced: Misplaced; since_ms: null }
  | { is: 'unassigned'; key: string; why: string; stops: StopRow[]; since_ms: null }

/** What a van's computer says of itself and a person must look at; of other things it says so where the van is shown. */
export const ALARMS = ['store damaged', 'store restored', 'name taken', 'records differ', 'proof altered'] as const
export type NeededAlarm = (typeof ALARMS)[number]

/** Evidence needs its time over a thin link; after this one asks. */
const PROOF_PATIENCE_MS = 10 * 60_000

export function needsYou(
  vans: readonly VanView[], stops: Iterable<StopRow>, now_ms: number, endings: readonly Ending[] = [],
): Need[] {
  const late = new Map<string, StopRow[]>()
  const unassigned = new Map<string, StopRow[]>()
  const flagged: Need[] = []
  const proofs: Need[] = []
  const transfers: Need[] = []
  const rows = [...stops]
  for (const stop of rows) {
    const is_open = stop.status === 'planned' || stop.status === 'arrived'
    const closed_ms = stop.closed_at === null ? null : Date.parse(stop.closed_at)
    if (is_open && stop.status === 'planned' && stop.van && stop.punctuality === 'late') push(late, stop.van, stop)
    if (stop.status === 'unassigned') push(unassigned, stop.why_unassigned, stop)
    if (stop.is_flagged) flagged.push({ is: 'flagged', key: `flagged ${stop.stop_id}`, stop, since_ms: closed_ms })
    const { transfer } = stop
    if (transfer && is_open && transfer.end === 'kept') transfers.push(ofTransfer('kept', stop, transfer))
    if (transfer && (transfer.given ?? false) !== (transfer.taken ?? false) && !stop.is_flagged && transfer.end !== 'kept')
      transfers.push(ofTransfer('one_sided', stop, transfer))
    const waits_ms = closed_ms === null ? 0 : now_ms - closed_ms
    if (stop.proofs_whole < stop.proofs && waits_ms > PROOF_PATIENCE_MS)
      proofs.push({ is: 'proof', key: `proof ${stop.stop_id}`, stop, since_ms: closed_ms })
  }
  const silent = vans
    .filter((van) => isSilent(van, now_ms))
    .map((van): Need => ({ is: 'silent', key: `silent ${van.van}`, van, since_ms: van.heard_at ? Date.parse(van.heard_at) : null }))
  const waiting = vans.flatMap((van): Need[] => {
    const oldest_s = van.is_online ? van.oldest_waiting_s : null // of one that is gone nobody knows
    return isWorry(oldest_s) ? [{ is: 'waiting', key: `waiting ${van.van}`, van, since_ms: now_ms - oldest_s * 1000 }] : []
  })
  const alarms = vans.flatMap((van) =>
    ALARMS.filter((alarm) => van.alarms.includes(alarm)).map((alarm): Need => ({ is: 'alarm', key: `${alarm} ${van.van}`, van, alarm, since_ms: null })),
  )
  const blocked = vans.flatMap((van): Need[] =>
    van.blocked_until ? [{ is: 'blocked', key: `blocked ${van.van}`, van, until: van.blocked_until, since_ms: null }] : [],
  )
  return [
    ...[...late.values()].map((of_van) => worstOf(of_van, now_ms)).sort(soonestFirst),
    ...oldestFirst(silent),
    ...alarms,
    ...oldestFirst(waiting),
    ...endings.map((ending): Need => ({ is: 'ending', key: `ending ${ending.kind} ${ending.van}`, ending, since_ms: null })),
    ...blocked,
    ...misplaced(vans, rows),
    ...oldestFirst(transfers),
    ...oldestFirst(flagged),
    ...oldestFirst(proofs),
    ...[...unassigned].map(([why, of_why]): Need => ({ is: 'unassigned', key: `unassigned ${why}`, why, stops: of_why, since_ms: null })),
  ]
}

/** A stop that cannot change vans as it was wished; or did, and only one of the two vans has said so. */
const ofTransfer = (is: 'kept' | 'one_sided', stop: StopRow, transfer: TransferView): Need => ({
  is, key: `${is} ${stop.stop_id}`, stop, transfer, since_ms: Date.parse(transfer.asked_at),
})

/** The stops of which their van says that no open road leads there. */
function misplaced(vans: readonly VanView[], rows: readonly StopRow[]): Need[] {
  const said = new Map(vans.flatMap((van) => van.misplaced.map((one): [string, Misplaced] => [one.stop_id, one])))
  if (said.size === 0) return []
  return rows.flatMap((stop): Need[] => {
    const one = said.get(stop.stop_id)
    return one ? [{ is: 'misplaced', key: `misplaced ${stop.stop_id}`, stop, misplaced: one, since_ms: null }] : []
  })
}

/** One entry a van: its worst stop, and how many more. A column of thirty red rows helps nobody. */
function worstOf(stops: StopRow[], now_ms: number): Need {
  const [worst, ...more] = stops.sort((a, b) => (b.minutes_off ?? 0) - (a.minutes_off ?? 0)) as [StopRow, ...StopRow[]]
  const closes_ms = worst.window ? Date.parse(worst.window.closes_at) : null
  const has_ended = closes_ms !== null && closes_ms < now_ms
  return {
    is: 'late', key: `late ${worst.van}`, stop: worst, more: more.length, has_ended, since_ms: has_ended ? closes_ms : null,
  }
}

const closes = (need: Need): number => (need.is === 'late' && need.stop.window ? Date.parse(need.stop.window.closes_at) : Infinity)

/** A window that can still be saved comes before one that is lost. */
function soonestFirst(a: Need, b: Need): number {
  const lost = (need: Need): number => (need.is === 'late' && need.has_ended ? 1 : 0)
  return lost(a) - lost(b) || closes(a) - closes(b)
}

const oldestFirst = (needs: Need[]): Need[] => needs.sort((a, b) => (a.since_ms ?? 0) - (b.since_ms ?? 0))

/** The longest that anything has waited, in milliseconds; null when nothing has an age. */
export function oldest_ms(needs: readonly Need[], now_ms: number): number | null {
  const since = needs.flatMap((need) => (need.since_ms === null ? [] : [need.since_ms]))
  return since.length ? Math.max(0, now_ms - Math.min(...since)) : null
}

function push(groups: Map<string, StopRow[]>, key: string, stop: StopRow): void {
  const group = groups.get(key)
  if (group) group.push(stop)
  else groups.set(key, [stop])
}
