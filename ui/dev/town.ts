/** A canned day for development and screen tests: one depot in Porto, invented people, the pictures' example. */

import type { CabView, LabelView, Eta, HandView, OfferView, OfferedStop, Punctuality, RouteView, StepView, StopView } from '../kit/generated/cab.ts'

const DAY = '2026-11-24'
export const at = (clock: string): string => `${DAY}T${clock.length === 5 ? `${clock}:00` : clock}Z`

const eta = (p10: string, p50: string, p90: string): Eta => ({
  p10: at(p10), p50: at(p50), p90: at(p90), times: 'roads', as_of: at('14:30'), basis: 'roads', basis_at: at('14:20'),
})

export const HAND: HandView = {
  parcels: [], last_scan: null, pin_tries_left: 5, min_age: null, is_old_enough: null, note: '', cash_due: null, cash_taken_minor: null,
  way: 'delivered_to_recipient', way_name: '', place: 'inside', distance_m: 12, missing: ['photo', 'signature'], warned: [], wants_name: false,
  nothing_handed_over: false, next_step: 'depot', pickup_point: '', attempts: 0, undo_until: null,
}

const step = (kind: StepView['kind']): StepView => ({ kind, rule: 'required', taken_at: null, sha256: null, signed_by: '' })

interface Row {
  number: string
  street: string
  name: string
  window: [string, string] | null
  eta: [string, string, string] | null
  punctuality?: Punctuality
  minutes_off?: number
  items?: string[]
  instruction?: string
  extra?: Partial<StopView>
}

const FEATURED: Record<number, Row> = {
  14: {
    number: '294', street: 'Rua do Almada', name: 'Beatriz Fontes', window: ['14:15', '14:45'],
    eta: ['14:31', '14:33', '14:36'], punctuality: 'early', minutes_off: -4,
    items: ['1 small parcel', '1 large parcel', '1 envelope'], instruction: 'Blue door, don’t ring',
    extra: { lat_deg: 41.15277, lon_deg: -8.61203, travel_m: 160 },
  },
  15: {
    number: '106', street: 'Rua da Conceição', name: 'Miguel Sá', window: ['14:30', '15:00'], eta: ['14:41', '14:43', '14:48'],
    items: ['1 parcel'], extra: { lat_deg: 41.14998, lon_deg: -8.6134, travel_m: 500 },
  },
  16: {
    number: '12', street: 'Rua da Picaria', name: 'Livraria Aurora', window: null, eta: ['14:58', '15:02', '15:09'],
    items: ['2 boxes'], extra: { lat_deg: 41.14905, lon_deg: -8.6134, travel_m: 420 },
  },
  17: {
    number: '230', street: 'Rua de Cedofeita', name: 'Tomás Reis', window: ['15:00', '15:30'], eta: ['15:17', '15:20', '15:25'],
    items: ['1 envelope'], extra: { moved_by: -1, lat_deg: 41.1538, lon_deg: -8.6161 },
  },
  18: {
    number: '306', street: 'Rua Álvares Cabral', name: 'Ana Prata', window: ['15:15', '15:45'], eta: ['15:26', '15:36', '15:49'],
    punctuality: 'tight', minutes_off: -9, items: ['1 parcel', '1 parcel', '1 parcel'], extra: { lat_deg: 41.1507, lon_deg: -8.6172 },
  },
  19: {
    number: '727', street: 'Rua do Bonjardim', name: 'Oficina Norte', window: ['15:30', '16:00'], eta: ['15:51', '16:03', '16:12'],
    punctuality: 'late', minutes_off: 3, items: ['1', '2', '3', '4'], extra: { lat_deg: 41.1545, lon_deg: -8.6077 },
  },
  20: {
    number: '611', street: 'Rua da Alegria', name: 'Clara Nunes', window: ['16:00', '16:45'], eta: ['16:09', '16:20', '16:34'],
    items: ['2 parcels', '1'], extra: { is_locked: true, lat_deg: 41.153, lon_deg: -8.6036 },
  },
}

const STREETS = ['Rua de Santa Catarina', 'Rua Formosa', 'Rua de Passos Manuel', 'Rua das Flores', 'Rua de Camões']

function plainRow(position: number): Row {
  const minutes = 8 * 60 + 30 + (position - 1) * 28
  const clock = (m: number) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`
  return {
    number: String(17 + 23 * position), street: STREETS[position % STREETS.length] as string, name: `Cliente ${position}`,
    window: [clock(minutes - 15), clock(minutes + 30)], eta: [clock(minutes - 4), clock(minutes), clock(minutes + 9)],
  }
}

function stopOf(position: number, next: number): StopView {
  const row = FEATURED[position] ?? plainRow(position)
  const is_done = position < next
  return {
    stop_id: `stop-${position}`, position, kind: 'delivery', phase: is_done ? 'completed' : 'open', order_ref: `${40117 + position}`,
    address: { number: row.number, street: row.street, postcode: '4050-035', city: 'Porto' },
    recipient_name: row.name, instruction: row.instruction ?? '', items: row.items ?? [],
    amount: { parcels: row.items?.length ?? 1, weight_kg: 2, volume_l: 8 },
    lat_deg: 41.15 + 0.0007 * position, lon_deg: -8.61 + 0.0003 * position,
    window: row.window && { opens_at: at(row.window[0]), closes_at: at(row.window[1]), is_hard: false },
    eta: row.eta && !is_done ? eta(...row.eta) : null,
    punctuality: row.punctuality ?? (row.eta ? 'on_time' : 'unknown'), minutes_off: row.minutes_off ?? null,
    steps: [step('photo'), step('signature')], is_ready_to_close: false, hand: HAND, received_by: '',
    state: is_done ? 'served' : position === next ? 'next' : 'pending',
    arrived_at: null, closed_at: is_done && row.eta ? at(row.eta[1]) : null,
    outcome: is_done ? 'delivered_to_recipient' : null, reason: null,
    is_locked: false, is_skipped: false, is_listed: true, moved_by: 0, moved_why: null, moved_for: null, missed_why: null, missed_for: null, place_trouble: null, travel_m: 700, found: null, custody: is_done ? 'recipient' : 'aboard', meeting: null, waits_for: null, passed_to: null,
    release_to: null, ...row.extra,
  }
}

export function day(next: number): CabView {
  const now = next === 17 ? '15:12' : '14:30'
  return {
    revision: 1, now: at(now), clock_rate: 1, timezone: 'Europe/Lisbon', van: 'van-7', driver: 'Inês Duarte', policy: 'advised',
    disk: 'well', alarms: [], can_block: true, blocked_until: null, off_duty: null, link: { is_online: true, since: at('08:00'), waiting: 0, oldest_waiting_s: null },
    gps: { quality: '3d', since: null }, motion: 'moving',
    position: {
      lat_deg: 41.15364, lon_deg: -8.6114, heading_deg: 270, speed_mps: 6, error_m: 4, fixed_at: at(now),
      road_lat_deg: null, road_lon_deg: null, road_heading_deg: null,
    },
    plan: {
      version: 1, made_at: at('14:12'), reason: 'manifest changed', times: 'roads', moved_stops: 0, gain_s: 0, ends_at: at('17:52'), energy: null,
    },
    offer: null, is_planning: false, next_stop_id: `stop-${next}`, is_within_reach: false, route_version: 1,
    load: {
      expected: 58, codes: 0, scanned: 0, missing: [], unlisted: [], counted: null, last_scan: null, checked_at: at('08:11'), back: [], back_codes: 0, back_scanned: 0, drops: [],
    },
    label: null,
    stops: Array.from({ length: 31 }, (_, i) => stopOf(i + 1, next)), done: next - 1, total: 31,
  }
}

/** A transport label that is on no list. */
export const LABEL: LabelView = {
  scan: { code: '340123450000000017', verdict: 'unknown', belongs_to: null, at: at('14:30'), of_van: null },
  stop: {
    address: { number: '12', street: 'Rua das Flores', postcode: '4050-262', city: 'Porto' },
    recipient_name: 'Maria José, Loja das Flores', phone: '+351220000000', instruction: '2.º esquerdo',
    window: { opens_at: at('15:00'), closes_at: at('17:30'), is_hard: false }, wants_signature: true,
    found: { van: 'van-7', placed_by: 'door', may_leave: true, is_dangerous: true, service: '', also: '' },
  },
  why_not: null, filled: [],
}

/** A parcel that is on another van's list. */
export const OF_VAN_9: LabelView = {
  scan: { code: '340123450000000024', verdict: 'not_this_van', belongs_to: null, at: at('14:30'), of_van: 'van-9' },
  stop: null, why_not: null, filled: [],
}

/** No roundabout, no sign. */
const PLAIN = { ref: '', destinations: '', exit: 0, roundabout: '', keeps: 'right' }

export const ROUTE: RouteView = {
  route_version: 1, times: 'roads',
  line: [
    [-8.609951, 41.153618], [-8.610057, 41.15362], [-8.611063, 41.153637], [-8.611461, 41.153632], [-8.611843, 41.153645],
    [-8.611996, 41.153597], [-8.612018, 41.152994], [-8.61203, 41.15277],
  ],
  onward: [
    [-8.61203, 41.15277], [-8.612099, 41.150269], [-8.612104, 41.15], [-8.613142, 41.149979], [-8.6134, 41.149975],
    [-8.614045, 41.149957], [-8.614813, 41.149924],
  ],
  manoeuvres: [
    { type: 'depart', modifier: 'straight', street: 'Rua de Gonçalo Cristóvão', ...PLAIN, lat_deg: 41.153618, lon_deg: -8.609951, distance_m: 180 },
    { type: 'turn', modifier: 'left', street: 'Rua do Almada', ...PLAIN, lat_deg: 41.153597, lon_deg: -8.611996, distance_m: 92 },
    { type: 'arrive', modifier: 'left', street: 'Rua do Almada', ...PLAIN, lat_deg: 41.15277, lon_deg: -8.61203, distance_m: 0 },
  ],
}

const offered = (number: number, before: number, after: number, extra: Partial<OfferedStop> = {}): OfferedStop => ({
  stop_id: `stop-${number}`, before, after, eta: null, punctuality: 'on_time', minutes_off: null, why: null, other: null,
  saves_s: 0, miss: null, miss_other: null, ...extra,
})

/** What the reference picture shows: two stops change their places, and the day ends four minutes sooner. */
export const OFFER: OfferView = {
  number: 1, reason: 'manifest changed', times: 'roads', moved_stops: 2, gain_s: 240, late_before: 0, late_after: 0,
  stops: [
    offered(14, 14, 14), offered(15, 15, 15), offered(16, 16, 16),
    offered(18, 18, 17, { why: 'window', saves_s: 300 }), offered(17, 17, 18, { why: 'nearer', saves_s: 240 }),
    ...Array.from({ length: 13 }, (_, i) => offered(19 + i, 19 + i, 19 + i)),
  ],
}

/** The next stop is where another van is met; the two stops after it change vans there. */
export function meetingAt(view: CabView, side: 'gives' | 'takes'): CabView {
  const at = view.stops.findIndex((stop) => stop.stop_id === view.next_stop_id)
  const goods = view.stops.slice(at + 1, at + 3).map((stop) => stop.stop_id)
  const place = view.stops[at] as StopView
  const meeting = { meeting_id: 'm1', side, other_van: 'van-2', stop_ids: goods }
  const stops = view.stops.map((stop): StopView => {
    if (stop === place)
      return {
        ...stop, kind: 'handover', phase: 'arrived', state: 'parked', address: { ...stop.address, number: '', street: 'Posto Galp, Rua do Almada' },
        recipient_name: 'van-2', items: [], instruction: '', steps: [{ ...step('scan'), rule: 'optional' }], meeting, custody: 'none',
        hand: { ...HAND, missing: [], parcels: [{ code: '106141411234500010', what: '', state: null, is_scanned: false }] }, is_ready_to_close: true,
      }
    if (!goods.includes(stop.stop_id)) return stop
    return { ...stop, eta: null, waits_for: place.stop_id, custody: side === 'takes' ? 'other_van' : 'aboard' }
  })
  return { ...view, stops, motion: 'parked', is_within_reach: true }
}

/** A door that asks for everything, for `POST /dev/door`. */
export const FULL_DOOR: Partial<StopView> = {
  phase: 'arrived', state: 'parked',
  steps: [
    { ...step('place'), rule: 'warn' }, step('age'), step('pin'), step('cash'), step('scan'), step('photo'),
    { ...step('signature'), rule: 'warn' }, { ...step('note'), rule: 'optional' },
  ],
  hand: {
    ...HAND,
    parcels: [
      { code: '106141411234500010', what: 'small parcel', state: null, is_scanned: false },
      { code: '106141411234500027', what: 'large parcel', state: null, is_scanned: false },
      { code: '106141411234500034', what: '', state: null, is_scanned: false },
    ],
    min_age: 18, cash_due: { amount_minor: 2450, currency: 'EUR' }, place: 'near', distance_m: 180,
    missing: ['age', 'pin', 'cash', 'scan', 'photo'], warned: ['place', 'signature'], next_step: 'later_today', attempts: 0,
  },
}
