import { expect, test, vi } from 'vitest'

import { morning } from '../dev/fleet.ts'
import type { HistoryRow, StopPage, VanView } from '../kit/generated/console.ts'

vi.stubGlobal('location', { search: '' })
vi.stubGlobal('navigator', { languages: ['en'] })
const { offDutyWords, recordTitle } = await import('./words-of.ts')

test('a van that tells no position says why, and one that tells it says nothing', () => {
  const why = (off_duty: VanView['off_duty']): string | null => offDutyWords({ ...(morning().vans[0] as VanView), off_duty })
  expect([null, 'paused' as const, 'not begun' as const, 'shift over' as const].map(why)).toEqual([
    null,
    'position paused by the driver',
    'before the shift',
    'shift over',
  ])
})

test('that the van drove off, or told its position no more, has words in the history', () => {
  const page = { stop: morning().stops[0] } as unknown as StopPage
  const titles = ['stop.departed', 'duty.changed'].map((kind) => recordTitle({ kind } as HistoryRow, page))
  expect(titles).toEqual(['Drove off', 'Position on or off'])
})
