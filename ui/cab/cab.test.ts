import { describe, expect, it } from 'vitest'

import { day, ROUTE } from '../dev/town.ts'
import type { StopView } from '../kit/generated/cab.ts'
import { shortCode } from './codes.ts'
import { dayAxis, firstRow } from './day.ts'
import { deliveredTap } from './delivered.ts'
import { arrowOf, lookAhead } from './guidance.ts'
import { instructionIcon } from './instruction.ts'
import { isRoundabout, loadWording, panelWords } from './manoeuvre-words.ts'
import { isSigned } from './pad.ts'
import { FIRST, OTHERS } from './reasons.ts'
import { missingSteps, stepsOf } from './steps.ts'

const view = day(14)
const stop = view.stops[13] as StopView
const taken = (kind: 'photo' | 'signature', signed_by = ''): StopView => ({
  ...stop,
  phase: 'arrived',
  steps: stop.steps.map((step) => (step.kind === kind ? { ...step, taken_at: view.now, signed_by } : step)),
  hand: { ...stop.hand, missing: stop.hand.missing.filter((each) => each !== kind) },
})

describe('guidance', () => {
  it('names the next manoeuvre with its distance along the road', () => {
    const ahead = lookAhead(ROUTE, view.position)!
    expect(ahead.manoeuvre?.street).toBe('Rua do Almada')
    expect(ahead.distance_m).toBeGreaterThan(40)
    expect(ahead.distance_m).toBeLessThan(60)
  })

  it('turns to the door once the corner is behind', () => {
    const ahead = lookAhead(ROUTE, { ...view.position!, lat_deg: 41.15305, lon_deg: -8.612016 })!
    expect(ahead.manoeuvre?.type).toBe('arrive')
    expect(arrowOf(ahead.manoeuvre!).icon).toBe('mapPin')
  })

  it('says nothing when the van is not on the route, or its place unknown', () => {
    expect(lookAhead(ROUTE, { ...view.position!, lat_deg: 41.16 })).toBeNull()
    expect(lookAhead(ROUTE, null)).toBeNull()
    expect(lookAhead(null, view.position)).toBeNull()
  })
})

describe('the words of a manoeuvre', () => {
  const turn = { ...ROUTE.manoeuvres[1]!, type: 'turn', modifier: 'left', street: 'Rua do Almada' }
  const ring = { ...turn, type: 'roundabout', modifier: 'right', exit: 2, keeps: 'right' }
  const said: Record<string, [string, string]> = {
    'en-GB': ['Turn left onto Rua do Almada', 'Enter the roundabout and take the 2nd exit onto Rua do Almada'],
    'es-ES': ['Gira a la izquierda en Rua do Almada', 'Entra en la rotonda y toma la 2ª salida a Rua do Almada'],
    'pt-PT': ['Vire à esquerda para Rua do Almada', 'Entre na rotunda, saia na 2º saída em direção a Rua do Almada'],
    'de-DE': ['Links abbiegen auf Rua do Almada', 'Im Kreisverkehr die zweite Ausfahrt nehmen auf Rua do Almada'],
    'fr-FR': ['Tourner à gauche sur Rua do Almada', 'Prendre le giratoire et prendre la seconde sortie sur Rua do Almada'],
  }

  it.each(Object.keys(said))('are whole sentences in %s', async (locale) => {
    const wording = await loadWording(locale)
    expect([wording(turn), wording(ring)]).toEqual(said[locale])
  })

  it('leave a plain turn to the arrow and the street', async () => {
    const wording = await loadWording('en-GB')
    expect(panelWords(turn, wording, 'Straight ahead')).toBe('Rua do Almada')
    expect(panelWords({ ...turn, street: '' }, wording, 'Straight ahead')).toBe('Turn left')
    expect(panelWords({ ...turn, type: 'fork', modifier: 'slight right' }, wording, '')).toBe('Keep right onto Rua do Almada')
    expect(panelWords({ ...turn, type: 'a type of tomorrow', modifier: '', street: '' }, wording, '')).not.toBe('')
  })

  it('do without the texts while they are not there', () => {
    expect(panelWords({ ...turn, street: '' }, null, 'Straight ahead')).toBe('')
    expect(panelWords({ ...turn, street: '', modifier: 'straight' }, null, 'Straight ahead')).toBe('Straight ahead')
    expect(panelWords(ring, null, 'Straight ahead')).toBe('Rua do Almada')
    expect(isRoundabout(ring) && !isRoundabout(turn)).toBe(true)
  })
})

describe('steps', () => {
  it('has one next step, and none before the arrival', () => {
    expect(stepsOf(stop).map((now) => now.state)).toEqual(['missing', 'missing'])
    expect(stepsOf({ ...stop, phase: 'arrived' }).map((now) => now.state)).toEqual(['next', 'missing'])
    expect(stepsOf(taken('photo')).map((now) => now.state)).toEqual(['done', 'next'])
  })

  it('counts the arrival among what is missing', () => {
    expect(missingSteps(stop)).toBe(3)
    expect(missingSteps(taken('photo'))).toBe(1)
    expect(missingSteps({ ...stop, hand: { ...stop.hand, wants_name: true } })).toBe(4)
  })

  it('leaves out what the rules leave out', () => {
    const steps = stop.steps.map((step) => ({ ...step, rule: step.kind === 'photo' ? ('off' as const) : ('optional' as const) }))
    const hand = { ...stop.hand, missing: [] }
    expect(stepsOf({ ...stop, phase: 'arrived', steps, hand }).map((now) => now.state)).toEqual(['optional'])
  })

  it('shows what may be left for a reason, and puts what is to be done first where there is much', () => {
    const kinds = ['photo', 'signature', 'scan', 'pin', 'place'] as const
    const steps = kinds.map((kind) => ({ kind, rule: 'required' as const, taken_at: kind === 'scan' ? view.now : null, sha256: null, signed_by: '' }))
    const hand = { ...stop.hand, missing: ['photo' as const, 'pin' as const], warned: ['signature' as const, 'place' as const] }
    const shown = stepsOf({ ...stop, phase: 'arrived', steps, hand })
    expect(shown.map((now) => [now.step.kind, now.state])).toEqual([
      ['pin', 'next'], ['photo', 'missing'], ['place', 'warned'], ['signature', 'warned'], ['scan', 'done'],
    ])
  })
})

describe('codes', () => {
  it('are known by their ends', () => {
    expect(shortCode('106141411234567897')).toBe('… 3456 7897')
    expect(shortCode('RM-77')).toBe('RM-77')
  })
})

describe('closing', () => {
  it('reads from the signature to whom it went', () => {
    expect(deliveredTap(taken('signature', 'Beatriz Fontes')).outcome).toBe('delivered_to_recipient')
    expect(deliveredTap(taken('signature', 'neighbour')).outcome).toBe('delivered_to_neighbour')
    expect(deliveredTap(taken('signature', 'someone else')).outcome).toBe('delivered_to_third_party')
    expect(deliveredTap({ ...stop, kind: 'pickup' }).outcome).toBe('picked_up')
  })

  it('offers every reason once', () => {
    const reasons = [...FIRST, ...OTHERS].map((each) => each.reason)
    expect(new Set(reasons).size).toBe(reasons.length)
    expect(reasons).toHaveLength(17)
  })
})

describe('the day', () => {
  it('opens at the next stop, else at the first open one', () => {
    expect(firstRow(view.stops, view.next_stop_id)).toBe(13)
    expect(firstRow(view.stops, null)).toBe(13)
  })

  it('holds every window and now on one axis', () => {
    const axis = dayAxis(view.stops.slice(13, 17), Date.parse(view.now))
    expect(axis.from_ms).toBeLessThan(Date.parse('2026-11-24T14:15:00Z'))
    expect(axis.to_ms).toBeGreaterThan(Date.parse('2026-11-24T15:30:00Z'))
  })
})

describe('small things', () => {
  it('a touch by accident is no signature', () => {
    expect(isSigned([[[0.5, 0.5]]])).toBe(false)
    expect(isSigned([[[0.2, 0.5], [0.4, 0.4], [0.6, 0.6]]])).toBe(true)
  })

  it('an instruction gets its picture', () => {
    expect(instructionIcon('Blue door, don’t ring')).toBe('bellSlash')
    expect(instructionIcon('Ring twice')).toBe('bell')
    expect(instructionIcon('Leave with reception')).toBe('info')
  })
})
