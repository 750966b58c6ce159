/** How a stop ends when all went well: to whom, read from who signed. */

import type { DeliveredTap, Outcome, StopView } from '../kit/generated/cab.ts'

/** What is written as the signer when it is not the recipient; plain words, the same in every language. */
export const NEIGHBOUR = 'neighbour'
export const SOMEONE_ELSE = 'someone else'

export function deliveredTap(stop: StopView): Omit<DeliveredTap, 'tap_id'> {
  const signed_by = stop.steps.find((step) => step.kind === 'signature')?.signed_by ?? ''
  const received_by = stop.hand.way_name || signed_by
  return { kind: 'delivered', stop_id: stop.stop_id, outcome: outcomeOf(stop, signed_by), received_by, waivers: [] }
}

function outcomeOf(stop: StopView, signed_by: string): Outcome {
  if (stop.kind === 'pickup') return 'picked_up'
  if (stop.hand.way !== 'delivered_to_recipient') return stop.hand.way
  if (signed_by === NEIGHBOUR) return 'delivered_to_neighbour'
  return signed_by === SOMEONE_ELSE ? 'delivered_to_third_party' : 'delivered_to_recipient'
}
