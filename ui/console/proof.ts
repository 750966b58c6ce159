/** What can be said of a stop's proof before it is sealed: no more than what the fingerprints show. */

import type { EvidenceKind, StopPage } from '../kit/generated/console.ts'

export type ProofVerdict =
  /** All announced evidence is here, to the byte what was announced. */
  | { is: 'match' }
  | { is: 'waiting' }
  /** The stop is closed, and evidence that was required was not taken. */
  | { is: 'missing'; kinds: EvidenceKind[] }
  | { is: 'open'; kinds: EvidenceKind[] }
  /** Nothing was taken, and nothing more is awaited. */
  | { is: 'none'; was_asked: boolean }

const KINDS: EvidenceKind[] = ['photo', 'signature']

export function verdictOn(page: StopPage): ProofVerdict {
  const { evidence, proof_rules, stop } = page
  const required = KINDS.filter((kind) => proof_rules[kind] === 'required')
  const lacking = required.filter((kind) => !evidence.some((piece) => piece.kind === kind))
  if (stop.status === 'completed' && lacking.length) return { is: 'missing', kinds: lacking }
  if (evidence.some((piece) => !piece.is_whole)) return { is: 'waiting' }
  if (evidence.length) return { is: 'match' }
  const is_open = stop.status === 'planned' || stop.status === 'arrived' || stop.status === 'unassigned'
  return is_open ? { is: 'open', kinds: required } : { is: 'none', was_asked: required.length > 0 }
}
