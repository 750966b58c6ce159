import { expect, test } from 'vitest'

import { morning, stopPage } from '../dev/fleet.ts'
import type { StopRow, VanView } from '../kit/generated/console.ts'
import { ahead, lengthOf } from './drawing.ts'
import { verdictOn } from './proof.ts'

const { vans, stops } = morning()
const van: VanView = { ...(vans[0] as VanView), position: { ...(vans[0] as VanView).position!, lat_deg: 41.0, lon_deg: -8.598 } }
const next = { ...(stops[0] as StopRow), lat_deg: 41.0, lon_deg: -8.595 }
// Out along a street, round, and back along the same street.
const route = {
  van: van.van, times: 'roads' as const,
  line: [[-8.6, 41.0], [-8.595, 41.0], [-8.595, 41.001], [-8.594, 41.0], [-8.6, 41.0]] as [number, number][],
}

test('the way is drawn from where the van is, also when it comes by here again later', () => {
  const line = ahead(route, van, next)
  expect(line[0]?.[0]).toBeCloseTo(-8.598, 4)
  expect(line).toHaveLength(5)
  expect(lengthOf(line)).toBeLessThan(lengthOf(route.line))
})

test('a van that left the way is not joined to it by a guess', () => {
  const away = { ...van, position: { ...van.position!, lat_deg: 41.01 } }
  expect(ahead(route, away, next)).toBe(route.line)
})

test('a proof is said to match only when all of it is here', () => {
  const stop = stops.find((each) => each.status === 'completed') as StopRow
  const page = stopPage(stop)
  expect(verdictOn(page)).toEqual({ is: 'match' })
  expect(verdictOn({ ...page, evidence: page.evidence.map((piece) => ({ ...piece, is_whole: false })) })).toEqual({ is: 'waiting' })
  expect(verdictOn({ ...page, evidence: page.evidence.slice(0, 1) })).toEqual({ is: 'missing', kinds: ['signature'] })
  expect(verdictOn({ ...page, evidence: [], proof_rules: {} })).toEqual({ is: 'none', was_asked: false })
})
