import { describe, expect, it } from 'vitest'

import { day, OFFER } from '../dev/town.ts'
import type { OfferedStop } from '../kit/generated/cab.ts'
import { fitted } from '../kit/map/fit.ts'
import { messages } from '../kit/messages/cab/index.ts'
import { translator } from '../kit/messages/index.ts'
import { MOVED_PX, missWords, moveWords, offerHeadline, offerPages, offerSketch, ROW_PX, rowsBefore, windowsWords } from './offer.ts'

const view = day(14)
const DOOR = '294 Rua do Almada'
const t = translator(messages, 'en')

/** A round of `count` stops in which these move to other places. */
function offered(count: number, moved: number[]): OfferedStop[] {
  return Array.from({ length: count }, (_, i) => ({
    stop_id: `stop-${i + 1}`, before: moved.includes(i + 1) ? ((i + 5) % count) + 1 : i + 1, after: i + 1, eta: null,
    punctuality: 'on_time' as const, minutes_off: null, why: moved.includes(i + 1) ? ('nearer' as const) : null, other: null,
    saves_s: 0, miss: null, miss_other: null,
  }))
}

const height = (page: OfferedStop[]) => page.reduce((sum, one) => sum + (one.why ? MOVED_PX : ROW_PX), 0)

describe('the sentence', () => {
  it('says how many stops move and what the day gains', () => {
    expect(offerHeadline({ moved_stops: 2, gain_s: 240 }, t)).toBe('2 stops move, 4 min sooner')
    expect(offerHeadline({ moved_stops: 1, gain_s: -130 }, t)).toBe('1 stop moves, 2 min later')
    expect(offerHeadline({ moved_stops: 1, gain_s: 20 }, t)).toBe('1 stop moves')
  })

  it('says of the windows what the driver would be blamed for', () => {
    expect(windowsWords({ late_before: 0, late_after: 0 }, t)).toEqual({ sign: 'dot', words: 'All windows kept' })
    expect(windowsWords({ late_before: 2, late_after: 0 }, t).words).toBe('All windows kept, 2 of them only like this')
    expect(windowsWords({ late_before: 3, late_after: 1 }, t)).toEqual({ sign: 'diamond', words: '1 late instead of 3' })
    expect(windowsWords({ late_before: 1, late_after: 1 }, t).sign).toBe('right')
  })

  it('names a reason with its minutes, and the door it is for', () => {
    expect(moveWords('nearer', 240, null, t)).toBe('4 min less driving')
    expect(moveWords('nearer', 10, null, t)).toBe('shorter way')
    expect(moveWords('room', 0, DOOR, t)).toBe('in time for 294 Rua do Almada')
    expect(missWords('other_window', DOOR, t)).toBe('294 Rua do Almada would be late')
    expect(missWords('other_window', null, t)).toBe('another would be late')
  })
})

describe('the rows', () => {
  it('show the moved stops with their neighbours, as many as fit', () => {
    const pages = offerPages(OFFER.stops, 272)
    expect(pages).toHaveLength(1)
    expect(pages[0]!.map((one) => one.after)).toEqual([16, 17, 18, 19])
  })

  it('never overflow, and show every moved stop on one page', () => {
    for (const px of [150, 258, 460]) {
      const moved = [2, 3, 9, 14, 20, 21, 22, 29]
      const pages = offerPages(offered(31, moved), px)
      for (const page of pages) expect(height(page)).toBeLessThanOrEqual(px)
      expect(pages.flat().filter((one) => one.why).map((one) => one.after)).toEqual(moved)
    }
  })

  it('know where each stood before among those shown', () => {
    const [page] = offerPages(OFFER.stops, 272)
    expect(rowsBefore(page!)).toEqual([0, 2, 1, 3])
  })
})

describe('the map', () => {
  it('holds the piece that changes and one stop on each side', () => {
    const sketch = offerSketch(view, OFFER)
    expect(sketch.stops.map((one) => [one.before, one.after])).toEqual([[16, 16], [18, 17], [17, 18], [19, 19]])
    expect(sketch.van).toBeNull()
    expect(sketch.before).toHaveLength(4)
  })

  it('follows the roads of this offer and no other', () => {
    const line: [number, number][] = [[-8.61, 41.15], [-8.62, 41.16], [-8.62, 41.17]]
    expect(offerSketch(view, OFFER, { number: 1, times: 'roads', line }).after).toEqual(line)
    expect(offerSketch(view, OFFER, { number: 2, times: 'roads', line }).after).toHaveLength(4)
  })

  it('begins at the van when the next stop changes', () => {
    const [a, b, ...rest] = OFFER.stops.slice(0, 3).map((one) => ({ ...one }))
    const stops = [{ ...b!, before: 15, after: 14, why: 'window' as const }, { ...a!, before: 14, after: 15 }, ...rest]
    expect(offerSketch(view, { ...OFFER, stops }).van).not.toBeNull()
  })

  it('fits all places inside, north up', () => {
    const places: [number, number][] = [[-8.61, 41.15], [-8.6, 41.16], [-8.605, 41.149]]
    const project = fitted(places, 470, 260, 40)
    for (const [x, y] of places.map(project)) {
      expect(x).toBeGreaterThanOrEqual(39.9)
      expect(x).toBeLessThanOrEqual(430.1)
      expect(y).toBeGreaterThanOrEqual(39.9)
      expect(y).toBeLessThanOrEqual(220.1)
    }
    expect(project(places[1]!)[1]).toBeLessThan(project(places[0]!)[1])
  })
})
