/** The steps of a stop in the order they are taken, and which one is next. Their truth is the agent's. */

import type { EvidenceKind, StepView, StopView } from '../kit/generated/cab.ts'
import type { IconName } from '../kit/icons.ts'

/** `warned`: may be left undone for a reason. */
export type StepState = 'done' | 'next' | 'missing' | 'warned' | 'optional'

export interface StepNow {
  step: StepView
  state: StepState
}

const ORDER: Record<EvidenceKind, number> = { place: 0, age: 1, pin: 2, cash: 3, scan: 4, photo: 5, signature: 6, note: 7 }
export const STEP_ICONS: Record<EvidenceKind, IconName> = {
  place: 'mapPin', age: 'idCard', pin: 'numpad', cash: 'money', scan: 'barcode', photo: 'camera', signature: 'pen', note: 'notePencil',
}
const STATES: Record<StepState, number> = { next: 0, missing: 1, warned: 2, optional: 3, done: 4 }
/** As many as stand on the page without turning it; beyond that what is still to be done comes first. */
const ROOM = 3

/** Evidence steps with what each shows. Only one is "next": the first that is missing. */
export function stepsOf(stop: StopView): StepNow[] {
  const wanted = stop.steps.filter((step) => step.rule !== 'off').sort((a, b) => ORDER[a.kind] - ORDER[b.kind])
  const is_here = stop.phase === 'arrived'
  const { missing, warned } = stop.hand
  // The place is where the van stands: nothing one could tap.
  const next = wanted.find((step) => missing.includes(step.kind) && step.kind !== 'place')
  const steps = wanted.map((step): StepNow => {
    if (step.taken_at) return { step, state: 'done' }
    if (warned.includes(step.kind)) return { step, state: 'warned' }
    if (!missing.includes(step.kind)) return { step, state: 'optional' }
    return { step, state: is_here && step === next ? 'next' : 'missing' }
  })
  return steps.length > ROOM ? steps.sort((a, b) => STATES[a.state] - STATES[b.state]) : steps
}

/** What stands before closing: required steps, the neighbour's door, arrival. */
export const missingSteps = (stop: StopView): number =>
  stop.hand.missing.length + (stop.hand.wants_name ? 1 : 0) + (stop.phase === 'arrived' ? 0 : 1)
