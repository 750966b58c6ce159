/** Closing a stop as delivered: by one tap where nothing is asked, after a reason where something was left undone. */

import type { StopView } from '../kit/generated/cab.ts'
import { deliveredTap } from './delivered.ts'
import { cab } from './store.svelte.ts'

export function closeStop(stop: StopView): void {
  const { stop_id } = stop
  const waivers = (cab.waivers.get(stop_id) ?? []).filter((waiver) => stop.hand.warned.includes(waiver.kind))
  if (waivers.length < stop.hand.warned.length) {
    cab.open({ is: 'why', stop_id })
    return
  }
  const tap = { ...deliveredTap(stop), waivers }
  if (tap.outcome === 'delivered_to_neighbour' && stop.hand.way !== tap.outcome) {
    cab.open({ is: 'way', stop_id, is_neighbour: true })
    return
  }
  void cab.tap(tap, (saved_at) => {
    cab.waivers.delete(stop_id)
    cab.open({ is: 'saved', stop_id, saved_at, outcome: tap.outcome, reason: null })
  })
}
