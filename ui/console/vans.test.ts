import { describe, expect, test } from 'vitest'

import { morning } from '../dev/fleet.ts'
import type { VanView } from '../kit/generated/console.ts'
import { freshness, isSilent, troubleFirst, vanNumber } from './vans.ts'

const NOW = Date.parse('2026-11-24T14:32:00Z')
const { vans } = morning()
const van = (patch: Partial<VanView>): VanView => ({ ...(vans[6] as VanView), ...patch })
const heard = (seconds: number): VanView => van({ heard_at: new Date(NOW - seconds * 1000).toISOString() })

describe('the age of news', () => {
  test('fades at sixty seconds and falls silent at five minutes', () => {
    expect([59, 60, 299, 300].map((seconds) => freshness(heard(seconds), NOW))).toEqual(['fresh', 'fading', 'fading', 'silent'])
    expect(freshness(van({ heard_at: null }), NOW)).toBe('never')
  })

  test('is no alarm once all is done', () => {
    expect(isSilent(heard(900), NOW)).toBe(true)
    expect(isSilent({ ...heard(900), stop_ids: [] }, NOW)).toBe(false)
  })
})

test('trouble comes first: late by how much, tight, silent, then by number', () => {
  expect(troubleFirst(vans, NOW).slice(0, 8).map((each) => vanNumber(each.van))).toEqual(['18', '16', '3', '14', '11', '1', '2', '4'])
})

test('a marker carries the number, or the end of a name', () => {
  expect(['van-7', 'van-112', 'porto-north'].map(vanNumber)).toEqual(['7', '112', 'nort'])
})
