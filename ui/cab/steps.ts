/** The steps of a stop in the order they are taken, and which one is next. Their truth is the agent's. */

import type { StepView, StopView } from '../kit/generated/cab.ts'

export type StepState = 'done' | 'next' | 'missing' | 'optional'

export interface StepNow {
  step: StepView
  state: StepState
}

const ORDER = { photo: 0, signature: 1 } as const

/** Evidence steps with what each shows. Only one is "next": the first required one that is missing. */
export function stepsOf(stop: StopView): StepNow[] {
  const wanted = stop.steps.filter((step) => step.rule !== 'off').sort((a, b) => ORDER[a.kind] - ORDER[b.kind])
  const is_here = stop.phase === 'arrived'
  const next = wanted.find((step) => step.rule === 'required' && !step.taken_at)
  return wanted.map((step) => {
    if (step.taken_at) return { step, state: 'done' }
    if (step.rule !== 'required') return { step, state: 'optional' }
    return { step, state: is_here && step === next ? 'next' : 'missing' }
  })
}

/** Required steps still missing, arrival among them. */
export const missingSteps = (stop: StopView): number =>
  stepsOf(stop).filter((now) => now.state === 'next' || now.state === 'missing').length + (stop.phase === 'arrived' ? 0 : 1)
