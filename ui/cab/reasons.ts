/** Why a stop fails: the tiles, most used first, and the proof that helps with each. */

import type { EvidenceKind, FailReason } from '../kit/generated/cab.ts'
import type { IconName } from '../kit/icons.ts'

export interface Reason {
  reason: FailReason
  icon: IconName
  /** Offered before closing where the stop takes this kind of evidence. */
  proof: EvidenceKind | null
}

export const FIRST: readonly Reason[] = [
  { reason: 'not_home', icon: 'houseSimple', proof: 'photo' },
  { reason: 'cannot_find', icon: 'mapPin', proof: null },
  { reason: 'no_access', icon: 'door', proof: 'photo' },
  { reason: 'refused', icon: 'prohibit', proof: 'signature' },
  { reason: 'damaged', icon: 'warningDiamond', proof: 'photo' },
  { reason: 'wrong_address', icon: 'map', proof: null },
  { reason: 'no_parking', icon: 'car', proof: null },
  { reason: 'closed', icon: 'storefront', proof: 'photo' },
]

export const OTHERS: readonly Reason[] = [
  { reason: 'missing_item', icon: 'box', proof: null },
  { reason: 'wrong_item', icon: 'question', proof: null },
  { reason: 'no_time', icon: 'clock', proof: null },
  { reason: 'unsafe', icon: 'warning', proof: 'photo' },
  { reason: 'vehicle', icon: 'truck', proof: null },
  { reason: 'weather', icon: 'cloudLightning', proof: null },
  { reason: 'payment_not_received', icon: 'money', proof: null },
  { reason: 'age_check_failed', icon: 'idCard', proof: null },
  { reason: 'proof_missing', icon: 'numpad', proof: null },
]

export const reasonOf = (reason: FailReason): Reason =>
  [...FIRST, ...OTHERS].find((known) => known.reason === reason) ?? { reason, icon: 'question', proof: null }
