import { describe, expect, it } from 'vitest'

import { parseEvents } from './events.ts'
import { latenessWords, signOf } from './lateness.ts'
import { bearing_deg, metresBetween, project, splitLine } from './map/geo.ts'
import { groundCircle, type LonLat } from './map/layers.ts'
import { plainProjection } from './map/plain.ts'
import { chooseLanguage, LANGUAGES, translator } from './messages/index.ts'
import { messages } from './messages/cab/index.ts'
import { isNight, sunElevation_deg } from './sun.ts'
import { themeNow } from './theme.ts'
import { clock, clockRange, distance, fullHours } from './time.ts'
import { barTone, layBar, ownAxis } from './windowbar.ts'

const at = (time: string) => `2026-11-24T${time}:00Z`
const window = { opens_at: at('14:15'), closes_at: at('14:45'), is_hard: false }
const eta = (p10: string, p50: string, p90: string) =>
  ({ p10: at(p10), p50: at(p50), p90: at(p90), times: 'roads', as_of: at('14:00'), basis: null, basis_at: null }) as const

describe('the window bar', () => {
  it('spans its own window when the range lies inside', () => {
    const range = eta('14:30', '14:33', '14:36')
    const bar = layBar(window, range, ownAxis(window, range)!)
    expect(bar.window).toEqual({ start: 0, end: 1 })
    expect(bar.bands).toEqual([{ start: 0.5, end: 0.7, is_outside: false }])
    expect(bar.tick).toBeCloseTo(0.6)
  })

  it('marks the part of the range beyond the window as outside', () => {
    const range = eta('14:40', '14:44', '14:55')
    const bar = layBar(window, range, ownAxis(window, range)!)
    expect(bar.bands.map((band) => band.is_outside)).toEqual([false, true])
    expect(bar.bands[0]!.end).toBe(bar.window!.end)
  })

  it('marks an arrival before the window as outside', () => {
    const range = eta('14:00', '14:05', '14:20')
    expect(layBar(window, range, ownAxis(window, range)!).bands.map((band) => band.is_outside)).toEqual([true, false])
  })

  it('never draws a band without an expected time', () => {
    expect(layBar(window, null, ownAxis(window, null)!)).toEqual({ window: { start: 0, end: 1 }, bands: [], tick: null })
    expect(ownAxis(null, null)).toBeNull()
  })

  it('takes its colour from how the stop stands', () => {
    expect([barTone('early'), barTone('tight'), barTone('late'), barTone('late', true)]).toEqual(['route', 'watch', 'late', 'done'])
  })
})

describe('lateness', () => {
  const t = translator(messages, 'en')
  const words = (punctuality: 'early' | 'late' | 'tight' | 'on_time' | 'unknown', minutes_off: number | null) =>
    latenessWords({ window, punctuality, minutes_off }, t).replaceAll('\u00a0', ' ')

  it('says minutes only where they are known', () => {
    expect(words('early', -4)).toBe('4 min early')
    expect(words('late', 3)).toBe('3 min late')
    expect(words('late', null)).toBe('Late')
    expect(words('on_time', -12)).toBe('On time')
    expect(words('unknown', null)).toBe('No time yet')
  })

  it('has a shape of its own for every state', () => {
    expect(new Set((['early', 'on_time', 'tight', 'late'] as const).map(signOf)).size).toBe(4)
  })
})

describe('time', () => {
  it("is told in the depot's zone", () => {
    expect(clock('2026-07-01T14:05:00Z', 'Europe/Lisbon', 'en-GB')).toBe('15:05')
    expect(clock('2026-11-24T14:05:00Z', 'Europe/Lisbon', 'pt-PT')).toBe('14:05')
    expect(clockRange(at('14:15'), at('14:45'), 'UTC', 'de')).toBe('14:15–14:45')
  })

  it('counts to twelve where the locale does', () => {
    expect(clock(at('14:05'), 'UTC', 'en-US').replace(/\s/g, ' ')).toBe('2:05 PM')
  })

  it('finds the full hours of a zone that is half an hour off', () => {
    const [first] = fullHours(Date.parse(at('14:00')), Date.parse(at('15:00')), 'Asia/Kolkata')
    expect(new Date(first!).toISOString()).toBe('2026-11-24T14:30:00.000Z')
  })

  it('rounds distances to what a driver can use', () => {
    expect([7, 63, 444, 1240, 14_400].map((metres) => distance(metres, 'en-GB'))).toEqual(['7 m', '60 m', '450 m', '1.2 km', '14 km'])
  })
})

describe('day and night', () => {
  it('follow the sun of the place', () => {
    expect(isNight(Date.parse('2026-11-24T12:00:00Z'), 41.15, -8.61)).toBe(false)
    expect(isNight(Date.parse('2026-11-24T18:50:00Z'), 41.15, -8.61)).toBe(true)
    expect(isNight(Date.parse('2026-06-21T20:00:00Z'), 41.15, -8.61)).toBe(false)
  })

  it('put the sun overhead at noon on the equator at the equinox', () => {
    expect(sunElevation_deg(Date.parse('2026-03-20T12:07:00Z'), 0, 0)).toBeGreaterThan(89)
  })

  it('hold a choice until the sun changes its mind', () => {
    const choice = { theme: 'night', sun: 'day' } as const
    expect([themeNow('day', choice), themeNow('night', choice), themeNow('day', null)]).toEqual(['night', 'night', 'day'])
    expect(themeNow('night', { theme: 'day', sun: 'day' })).toBe('night')
  })
})

describe('the stream of events', () => {
  it('yields whole events and keeps the rest', () => {
    const { events, rest } = parseEvents(': alive\n\nevent: view\ndata: {"a":\ndata: 1}\n\nevent: vi')
    expect(events).toEqual([{ event: 'view', data: '{"a":\n1}' }])
    expect(rest).toBe('event: vi')
  })
})

describe('words', () => {
  it('are complete, with every place to fill in, in all languages', () => {
    const places = (words: unknown) => [...JSON.stringify(words).matchAll(/\{(\w+)\}/g)].map((hit) => hit[1]).sort().join()
    for (const language of LANGUAGES)
      for (const [key, english] of Object.entries(messages.en)) {
        const words = messages[language][key as keyof typeof messages.en]
        expect(JSON.stringify(words), `${language} ${key}`).not.toBe('""')
        if (typeof english === 'string') expect(places(words), `${language} ${key}`).toBe(places(english))
      }
  })

  it('take the first language we speak', () => {
    expect(chooseLanguage(['nl-NL', 'pt-BR', 'en'])).toEqual({ language: 'pt', locale: 'pt-BR' })
    expect(chooseLanguage(['xx'])).toEqual({ language: 'en', locale: 'en-GB' })
  })

  it('count', () => {
    const t = translator(messages, 'en')
    expect([t('waiting', { n: 1 }), t('waiting', { n: 12 })]).toEqual(['1 thing waiting', '12 things waiting'])
  })
})

describe('the ground', () => {
  const line: LonLat[] = [[-8.61, 41.15], [-8.61, 41.16], [-8.6, 41.16]]

  it('is measured in metres', () => {
    expect(metresBetween(line[0]!, line[1]!)).toBeCloseTo(1113.2, 0)
    expect(bearing_deg(line[1]!, line[2]!)).toBeCloseTo(90, 0)
  })

  it('splits a line at the van without losing a metre of it', () => {
    const van = project(line, [-8.6101, 41.155])!
    expect(van.along_m).toBeCloseTo(556.6, 0)
    expect(van.off_m).toBeLessThan(10)
    const { behind, ahead } = splitLine(line, van)
    expect(behind.at(-1)).toEqual(ahead[0])
    expect(behind.length + ahead.length).toBe(line.length + 2)
  })

  it('has no nearest point on a line without length', () => {
    expect(project([[0, 0]], [0, 0])).toBeNull()
    expect(project([[0, 0], [0, 0]], [0, 0])).toBeNull()
  })

  it('draws a circle of the asked radius', () => {
    for (const point of groundCircle(41.15, -8.61, 30)) expect(metresBetween([-8.61, 41.15], point)).toBeCloseTo(30, 0)
  })

  it('keeps the target of the plain map in sight whatever the heading', () => {
    for (const heading_deg of [0, 90, 180, 270]) {
      const picture = { van: { place: line[0]!, heading_deg }, line, onward: [], target: line[2]! }
      const [x, y] = plainProjection(picture, 612, 544)(picture.target)
      expect(x > 0 && x < 612 && y > 0 && y < 544, `${heading_deg}: ${x}, ${y}`).toBe(true)
    }
  })
})
