import { describe, expect, test } from 'vitest'

import { morning } from '../dev/fleet.ts'
import type { StopRow } from '../kit/generated/console.ts'
import { needsYou, oldest_ms } from './needs.ts'

const NOW = Date.parse('2026-11-24T14:32:00Z')
const { vans, stops } = morning()
const stop = stops.find((each) => each.stop_id === 'stop-2-20') as StopRow
const of = (...rows: StopRow[]) => needsYou([], rows, NOW)
const ago = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString()

describe('what needs a person', () => {
  test('is worked out from the picture, most pressing first', () => {
    expect(needsYou(vans, stops, NOW).map((need) => need.is)).toEqual(['late', 'late', 'late', 'silent', 'flagged', 'proof', 'unassigned'])
  })

  test('is one entry for a van however many of its stops are late', () => {
    const late = (stop_id: string, minutes_off: number): StopRow => ({ ...stop, stop_id, punctuality: 'late', minutes_off })
    expect(of(late('a', 3), late('b', 9), late('c', 5))).toMatchObject([{ is: 'late', stop: { stop_id: 'b' }, more: 2 }])
  })

  test('puts a window that can be saved before one that is lost', () => {
    const late = (van: string, closes_at: string): StopRow => ({
      ...stop, stop_id: van, van, punctuality: 'late', minutes_off: 4, window: { opens_at: ago(90), closes_at, is_hard: false },
    })
    expect(of(late('van-1', ago(10)), late('van-2', ago(-20))).map((need) => need.key)).toEqual(['late van-2', 'late van-1'])
  })

  test('gives evidence ten minutes to arrive', () => {
    const closed = (minutes: number): StopRow => ({ ...stop, status: 'completed', closed_at: ago(minutes), proofs: 2, proofs_whole: 1 })
    expect(of(closed(9))).toEqual([])
    expect(of(closed(11))).toMatchObject([{ is: 'proof' }])
  })

  test('gathers unassigned orders by their reason', () => {
    const lost = (stop_id: string, why_unassigned: string): StopRow => ({ ...stop, stop_id, van: null, status: 'unassigned', why_unassigned })
    expect(of(lost('a', 'no room'), lost('b', ''), lost('c', 'no room'))).toMatchObject([
      { why: 'no room', stops: [{ stop_id: 'a' }, { stop_id: 'c' }] }, { why: '', stops: [{ stop_id: 'b' }] },
    ])
  })

  test('names what waits only in a van for an hour, while it is there to be asked', () => {
    const [van] = vans as [typeof vans[number]]
    const waits = (oldest_waiting_s: number | null, is_online = true) =>
      needsYou([{ ...van, is_online, oldest_waiting_s, waiting_rows: 12, heard_at: ago(0) }], [], NOW)
    expect(waits(3599)).toEqual([])
    expect(waits(3600)).toMatchObject([{ is: 'waiting', since_ms: NOW - 3_600_000 }])
    expect(waits(7200, false)).toEqual([])
  })

  test('is one entry for each thing wrong with a van’s computer that a person can look at', () => {
    const [van] = vans as [typeof vans[number]]
    const alarms = ['unsafe disk', 'records differ', 'store restored', 'of a newer van']
    expect(needsYou([{ ...van, alarms, heard_at: ago(0) }], [], NOW).map((need) => need.key)).toEqual([
      `store restored ${van.van}`, `records differ ${van.van}`,
    ])
  })

  test('names what is about to end because nothing renewed it', () => {
    const ending = { kind: 'van_certificate', van: 'van-2', ends_on: '2026-11-29', days_left: 4 } as const
    expect(needsYou([], [], NOW, [ending])).toMatchObject([{ is: 'ending', ending }])
  })

  test('is nothing on a quiet day, which has no age', () => {
    expect(of(stop)).toEqual([])
    expect(oldest_ms([], NOW)).toBeNull()
  })

  test('names a stop that no road leads to, and a road that a driver found blocked', () => {
    const van = { ...vans[0]!, misplaced: [{ stop_id: stop.stop_id, why: 'swapped' as const, away_m: null }], blocked_until: ago(-30) }
    expect(needsYou([van], [stop], NOW).filter((need) => need.is === 'misplaced' || need.is === 'blocked')).toMatchObject([
      { is: 'blocked', until: ago(-30) },
      { is: 'misplaced', stop: { stop_id: stop.stop_id }, misplaced: { why: 'swapped' } },
    ])
  })
})
