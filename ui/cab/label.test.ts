import { expect, test } from 'vitest'

import type { CabView, LabelStopView } from '../kit/generated/cab.ts'
import { day, LABEL } from '../dev/town.ts'
import { filledWords, labelFacts, leaveWords } from './label.ts'
import type { t as words } from './words.ts'

const view: CabView = day(14)
const t = ((key: string, values?: Record<string, unknown>) => `${key}${values ? JSON.stringify(values) : ''}`) as unknown as typeof words
const label = LABEL.stop as LabelStopView
const facts = (patch: Partial<LabelStopView>) => labelFacts({ ...label, ...patch }, view, 'en-GB', t).map((fact) => fact.words)

test('a window that ends with the day ends at its last minute', () => {
  const whole = { opens_at: '2026-03-12T00:00:00Z', closes_at: '2026-03-13T00:00:00Z', is_hard: false }
  expect(facts({ window: whole })[0]).toBe('label_window{"from":"00:00","to":"23:59"}')
  expect(facts({ window: null })[0]).toBe('label_no_window')
})

test('what a label does not say has no line', () => {
  const said = facts({ wants_signature: false, found: { ...label.found, may_leave: null, is_dangerous: false } })
  expect(said).toEqual(['label_window{"from":"15:00","to":"17:30"}', 'label_placed_door'])
})

test('a place that is a guess is told apart by more than its words', () => {
  const tone = (placed_by: LabelStopView['found']['placed_by']) =>
    labelFacts({ ...label, found: { ...label.found, placed_by } }, view, 'en-GB', t).at(-1)?.tone
  expect([tone('label'), tone('door'), tone('between'), tone('street'), tone('nowhere')]).toEqual(['plain', 'plain', 'watch', 'watch', 'watch'])
})

test('safe place allowed, not allowed, or not said', () => {
  const leave = (may_leave: boolean | null) => leaveWords({ ...label.found, may_leave }, t)
  expect([leave(true), leave(false), leave(null)]).toEqual(['label_leave', 'label_no_leave', ''])
  expect(filledWords(['window', 'phone'], 'en-GB', t)).toBe('label_filled{"what":"filled_window, filled_phone"}')
})
