/** A canned day of a whole fleet: one depot in Porto at 14:32, invented people, the example of the pictures. */

import type { FleetPicture, HistoryRow, Punctuality, StopPage, StopRow, Suggestion, VanView } from '../kit/generated/console.ts'
import { NEXT_STOPS, ON_THE_ROAD, PLACES } from './porto.ts'

const DAY = '2026-11-24'
const NOW_MS = Date.parse(`${DAY}T14:32:00Z`)
const minutes = (n: number): number => n * 60_000
const iso = (ms: number): string => new Date(ms).toISOString()
const at = (clock: string): string => `${DAY}T${clock.length === 5 ? `${clock}:00` : clock}Z`

/** Number, driver, done, total, seconds since heard, minutes late, punctuality. */
type VanFacts = [number, string, number, number, number, number, Punctuality]
const VANS: VanFacts[] = [
  [18, 'Luís Brandão', 15, 26, 7, 14, 'late'], [16, 'Vera Antunes', 15, 28, 4, 6, 'late'],
  [3, 'João Sequeira', 12, 28, 8, 3, 'late'], [14, 'Marta Pires', 14, 26, 4, 0, 'tight'],
  [11, 'Rui Tavares', 15, 24, 372, 0, 'on_time'], [7, 'Inês Duarte', 13, 31, 2, 0, 'on_time'],
  [21, 'Paulo Reis', 12, 25, 80, 0, 'on_time'], [5, 'Ana Moura', 21, 30, 5, 0, 'on_time'],
  [9, 'Tiago Lemos', 16, 27, 9, 0, 'on_time'], [2, 'Sofia Castro', 10, 29, 3, 0, 'on_time'],
  [4, 'Carla Neves', 16, 24, 6, 0, 'on_time'], [26, 'Hugo Faria', 9, 23, 12, 0, 'on_time'],
]
const OTHER_DRIVERS = [
  'Nuno Alves', 'Rita Gomes', 'Pedro Lima', 'Joana Dias', 'Miguel Costa', 'Clara Pinto', 'André Rocha', 'Sara Melo',
  'Bruno Teles', 'Eva Matos', 'Diogo Leal', 'Lara Brito', 'Vasco Cruz', 'Olga Serra', 'Ivo Ramos', 'Dina Vaz', 'Rui Melo',
  'Ema Sá', 'Gil Torres', 'Lia Nobre', 'Ciro Paz', 'Íris Mota', 'Raul Bento', 'Nádia Luz', 'Zé Prata', 'Mara Couto',
]
const PEOPLE = ['Beatriz Fontes', 'Miguel Sá', 'Livraria Aurora', 'Tomás Reis', 'Ana Prata', 'Oficina Norte', 'Clara Nunes', 'João Maia']
const numbers = new Set(VANS.map((van) => van[0]))
const others = Array.from({ length: 60 }, (_, i) => i + 1).filter((n) => !numbers.has(n)).slice(0, OTHER_DRIVERS.length)
const ALL: VanFacts[] = [
  ...VANS,
  ...others.map((n, i): VanFacts => [n, OTHER_DRIVERS[i] as string, 13 + (i % 7), 28 + (i % 6), 1 + (i % 40), 0, 'on_time']),
]

/** Eleven stops along the drawn way, the pictures' next door first. */
const FEATURED: { number: string; street: string; name: string; window: [string, string]; eta: [string, string, string] }[] = [
  { number: '294', street: 'Rua do Almada', name: 'Beatriz Fontes', window: ['14:15', '14:45'], eta: ['14:32', '14:33', '14:36'] },
  { number: '106', street: 'Rua da Conceição', name: 'Miguel Sá', window: ['14:40', '15:15'], eta: ['14:43', '14:46', '14:52'] },
  { number: '158', street: 'Rua da Boavista', name: 'Ana Prata', window: ['14:45', '15:15'], eta: ['14:56', '15:01', '15:09'] },
]

function rowOf(facts: VanFacts, van_index: number, position: number): StopRow {
  const [n, , done, , , minutes_late, punctuality] = facts
  const ahead = position - done
  const is_done = ahead < 0
  const featured = n === 7 && ahead >= 0 ? FEATURED[ahead] : undefined
  const along = n === 7 && ahead >= 0 ? NEXT_STOPS[ahead] : undefined
  const place = along ?? (PLACES[(van_index * 37 + position * 53) % PLACES.length] as [string, number, number])
  const p50 = NOW_MS + minutes(is_done ? (ahead + 1) * 22 - 4 : 4 + ahead * 15)
  const is_worst = ahead === 2
  const off = is_worst && minutes_late ? minutes_late : is_worst && punctuality === 'tight' ? -4 : -(8 + ((position * 7) % 14))
  const closes = featured ? Date.parse(at(featured.window[1])) : Math.ceil((p50 - minutes(off)) / 300_000) * 300_000
  const word: Punctuality = is_worst ? punctuality : 'on_time'
  const failed = is_done && (van_index * 11 + position) % 23 === 0
  return {
    stop_id: `stop-${n}-${position + 1}`, order_ref: `${40000 + van_index * 40 + position}`, van: `van-${n}`, kind: 'delivery',
    status: is_done ? (failed ? 'failed' : 'completed') : 'planned',
    address: {
      number: featured?.number ?? String(4 + ((van_index * 83 + position * 29) % 720)),
      street: featured?.street ?? (place[0] || 'Rua do Almada'), postcode: `4050-0${10 + (position % 80)}`, city: 'Porto',
    },
    recipient_name: featured?.name ?? (PEOPLE[(van_index + position) % PEOPLE.length] as string),
    lat_deg: place[1], lon_deg: place[2],
    window: { opens_at: featured ? at(featured.window[0]) : iso(closes - minutes(30)), closes_at: iso(closes), is_hard: false },
    eta: is_done
      ? null
      : {
          p10: featured ? at(featured.eta[0]) : iso(p50 - minutes(2 + ahead / 3)), p50: featured ? at(featured.eta[1]) : iso(p50),
          p90: featured ? at(featured.eta[2]) : iso(p50 + minutes(4 + ahead / 2)), times: 'roads', as_of: iso(NOW_MS),
          basis: 'learned', basis_at: iso(NOW_MS - minutes(9)),
        },
    punctuality: word, minutes_off: featured ? Math.round((Date.parse(at(featured.eta[1])) - closes) / 60_000) : off,
    outcome: is_done && !failed ? 'delivered_to_recipient' : null, reason: failed ? 'not_home' : null,
    closed_at: is_done ? iso(p50) : null, proofs: is_done && !failed ? 2 : 0, proofs_whole: is_done && !failed ? 2 : 0,
    is_flagged: false, why_unassigned: '', found_by: null, transfer: null,
  }
}

const PLACED: Record<number, [number, number, number]> = {
  7: [41.15322, -8.61203, 180], 11: [41.1529, -8.6035, 0], 3: [41.1551, -8.6170, 100], 18: [41.1546, -8.6085, 270], 14: [41.1495, -8.6042, 180],
}

/** What vans suggested to their drivers: one waits, one was taken, one was not. */
const SUGGESTED: Record<number, Suggestion> = {
  7: { state: 'open', since: at('14:29:10'), moved_stops: 2, gain_s: 240 },
  3: { state: 'accepted', since: at('13:40:00'), moved_stops: 1, gain_s: 420 },
  11: { state: 'kept', since: at('14:02:00'), moved_stops: 4, gain_s: 150 },
}

function vanOf(facts: VanFacts, index: number, rows: StopRow[]): VanView {
  const [n, driver, done, total, heard_s, minutes_late, punctuality] = facts
  const [lat_deg, lon_deg, heading_deg] = PLACED[n] ?? (ON_THE_ROAD[index] as [number, number, number])
  const open = rows.filter((row) => row.status === 'planned').map((row) => row.stop_id)
  return {
    van: `van-${n}`, driver, freshness: heard_s < 60 ? 'fresh' : heard_s < 300 ? 'fading' : 'silent', heard_at: iso(NOW_MS - heard_s * 1000),
    is_online: heard_s < 60,
    position: { lat_deg, lon_deg, heading_deg, fixed_at: iso(NOW_MS - heard_s * 1000), quality: '3d', error_m: 4, speed_mps: 6 },
    stops_total: total, stops_done: done, next_stop_id: open[0] ?? null, stop_ids: open, punctuality, minutes_late,
    plan_version: 8, manifest_version: 3, applied_manifest_version: 3, policy: 'advised', suggestion: SUGGESTED[n] ?? null,
    waiting_rows: heard_s > 60 ? 12 : 0,
    oldest_waiting_s: heard_s > 60 ? 400 : null, alarms: [], blocked_until: null, off_duty: null, misplaced: [], plans_made: 8, plans_made_offline: n === 7 ? 2 : 0,
  }
}

export function morning(): FleetPicture {
  const rows = ALL.map((facts, i) => Array.from({ length: facts[3] }, (_, position) => rowOf(facts, i, position)))
  const vans = ALL.map((facts, i) => vanOf(facts, i, rows[i] as StopRow[]))
  const stops = rows.flat()
  const put = (stop_id: string, patch: Partial<StopRow>): void => {
    const index = stops.findIndex((stop) => stop.stop_id === stop_id)
    stops[index] = { ...(stops[index] as StopRow), ...patch }
  }
  put('stop-7-13', { proofs: 2, proofs_whole: 1, closed_at: at('14:18:12'), status: 'completed', outcome: 'delivered_to_recipient', reason: null })
  put('stop-5-20', { is_flagged: true, order_ref: '40118', status: 'completed', outcome: 'delivered_to_neighbour', reason: null })
  for (const [n, why] of [['40177', 'no van has room before 17:00'], ['40178', 'no van has room before 17:00']] as const) {
    const like = stops[n === '40177' ? 20 : 60] as StopRow
    stops.push({
      ...like, stop_id: `stop-new-${n}`, order_ref: n, van: null, status: 'unassigned', eta: null, outcome: null, reason: null, closed_at: null,
      punctuality: 'unknown', minutes_off: null, proofs: 0, proofs_whole: 0, why_unassigned: why,
    })
  }
  return {
    now: iso(NOW_MS), clock_rate: 1, timezone: 'Europe/Lisbon', day: DAY, depot: { name: 'Porto depot', lat_deg: 41.1478, lon_deg: -8.6102 },
    vans, stops,
    endings: [],
    closures: [
      {
        closure_id: 'market', note: 'Street market', valid_from: at('09:00'), valid_until: at('18:00'),
        line: [[-8.60715, 41.15162], [-8.6068, 41.1506], [-8.60625, 41.14895]],
      },
    ],
  }
}

const record = (kind: string, captured: string | null, received: string, seq: number, detail: string): HistoryRow => ({
  kind, captured_at: captured && at(captured), received_at: at(received), epoch: 'b27e0d14', seq, detail,
})

export const PHOTO = '3f9a61c0'.repeat(8)
export const SIGNATURE = 'b27e0d14'.repeat(8)

const PARCELS = ['106141411234500010', '106141411234500027', '106141411234500034'].map((code) => ({
  code, what: '', state: 'delivered' as const, is_scanned: true,
}))

/** The page of any stop; the pictures' door when it is closed. */
export function stopPage(stop: StopRow): StopPage {
  const is_done = stop.status === 'completed'
  const closed = stop.closed_at ?? ''
  const captured = (seconds: number): string => iso(Date.parse(closed) + seconds * 1000)
  const received_at = is_done ? captured(405) : null
  const is_whole = stop.proofs_whole === stop.proofs
  return {
    stop, amount: { parcels: 3, weight_kg: 4, volume_l: 20 }, instruction: 'Blue door, don’t ring',
    items: ['1 small parcel', '1 large parcel', '1 envelope'], proof_rules: { photo: 'required', signature: 'required' },
    arrived_at: is_done ? captured(-70) : null, received_at, received_by: is_done ? stop.recipient_name : '',
    note: stop.is_flagged ? 'delivered although it was cancelled' : '',
    distance_m: is_done ? 12 : null,
    closed_lat_deg: is_done ? stop.lat_deg - 0.00006 : null, closed_lon_deg: is_done ? stop.lon_deg - 0.00011 : null,
    evidence: is_done
      ? [
          {
            kind: 'photo', sha256: PHOTO, media_type: 'image/svg+xml', size_bytes: 112_400, signed_by: '', captured_at: captured(-24),
            received_at: captured(405), is_whole, held_bytes: is_whole ? 112_400 : 40_000,
          },
          {
            kind: 'signature', sha256: SIGNATURE, media_type: 'image/svg+xml', size_bytes: 9_300, signed_by: stop.recipient_name,
            captured_at: captured(-3), received_at: captured(405), is_whole: true, held_bytes: 9_300,
          },
        ]
      : [],
    parcels: is_done ? PARCELS : [], checks: [], waivers: [], attempts: 0, next_step: null, pickup_point: '', is_amended: false,
    seal: is_done
      ? {
          verdict: is_whole ? 'verified' : 'waiting', findings: is_whole ? [] : ['The photo (record 7) has not arrived yet.'], notes: [],
          van: stop.van, public_key: 'ab'.repeat(32), head: 'cd'.repeat(32), is_vouched: true,
        }
      : null,
    history: is_done
      ? [
          record('plan.accepted', '14:12', '14:12', 201, ''),
          { ...record('stop.arrived', null, '14:33', 211, '12 m from the address'), captured_at: captured(-70), received_at: captured(-69) },
          { ...record('proof.captured', null, '14:40', 213, 'photo, 112400 bytes'), captured_at: captured(-24), received_at: captured(405) },
          {
            ...record('proof.captured', null, '14:40', 214, `signature, 9300 bytes, signed by ${stop.recipient_name}`),
            captured_at: captured(-3), received_at: captured(405),
          },
          {
            ...record('stop.completed', null, '14:40', 215, `delivered to recipient: ${stop.recipient_name}`),
            captured_at: closed, received_at: captured(405),
          },
        ]
      : [],
  }
}
