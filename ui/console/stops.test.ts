import { describe, expect, test } from 'vitest'

import { morning } from '../dev/fleet.ts'
import type { StopRow, VanView } from '../kit/generated/console.ts'
import { NO_FILTER, readAddress, stopsWith, writeAddress, type Address } from './address.ts'
import { find } from './find.ts'
import { listed, placeInDay, slice } from './stops.ts'

const { vans, stops } = morning()
const van = (name: string): VanView => vans.find((each) => each.van === name) as VanView

describe('the list of stops', () => {
  test('finds words in any order, without accents', () => {
    const rows: StopRow[] = [
      { ...(stops[0] as StopRow), address: { number: '64', street: 'Rua de São João', postcode: '', city: '' } }, ...stops.slice(1, 4),
    ]
    expect(listed(rows, { ...NO_FILTER, text: 'joao 64' }, null)).toHaveLength(1)
  })

  test('of one van comes in the order it drives, done stops first', () => {
    const rows = listed(stops, { ...NO_FILTER, van: 'van-7' }, van('van-7'))
    expect(rows).toHaveLength(31)
    expect(rows.slice(13).map((row) => row.stop_id)).toEqual(van('van-7').stop_ids)
  })

  test('draws only what is in sight, and some to spare', () => {
    expect(slice(0, 600, 50, 20_000)).toEqual({ first: 0, last: 20 })
    expect(slice(500_000, 600, 50, 20_000)).toEqual({ first: 9_992, last: 10_020 })
    expect(slice(999_400, 600, 50, 20_000).last).toBe(20_000)
  })
})

test('an open stop knows its place in the day, a closed one has none', () => {
  const row = (stop_id: string): StopRow => stops.find((stop) => stop.stop_id === stop_id) as StopRow
  expect(placeInDay(row('stop-7-14'), van('van-7'))).toBe(14)
  expect(placeInDay(row('stop-7-2'), van('van-7'))).toBeNull()
})

describe('the address bar', () => {
  const addresses: Address[] = [
    { is: 'live', van: 'van-7', stop_id: null, show: 'late' }, { is: 'live', van: null, stop_id: 'a/b ?', show: 'all' },
    { is: 'orders' }, { is: 'stop', stop_id: 'day 1/é%' }, stopsWith({ status: 'failed', van: 'van-2', text: 'são & co', is_flagged: true }),
  ]
  test.each(addresses)('keeps %o', (address) => {
    expect(readAddress(writeAddress(address))).toEqual(address)
  })

  test('leads to the live page when it says nothing known', () => {
    expect(readAddress('#/nowhere?show=odd')).toEqual({ is: 'live', van: null, stop_id: null, show: 'all' })
    expect(readAddress('#/stops?status=odd')).toEqual(stopsWith({}))
  })
})

test('the search finds a van by its number before anything else', () => {
  expect(find('7', vans, stops)[0]).toMatchObject({ is: 'van', van: { van: 'van-7' } })
  expect(find('inês', vans, stops)).toMatchObject([{ is: 'van', van: { driver: 'Inês Duarte' } }])
  expect(find('  ', vans, stops)).toEqual([])
})
