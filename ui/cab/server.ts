/** The only file that speaks to the agent: the view as it changes, taps, evidence, route and map. */

import { listen } from '../kit/events.ts'
import type { CabView, MapView, NotSaved, OfferRouteView, RouteView, Saved } from '../kit/generated/cab.ts'
import type {
  AgeTap, AmendTap, BackScanTap, CashTap, DroppedTap, HandOverTap, LabelTap, LoadScanTap, LoadTap, MakeStopTap, MarkTap, NoteTap, PinTap, ReleaseTap,
  ReturnedTap, ScanTap, UndoTap, WayTap,
} from '../kit/generated/cab.ts'
import type {
  AcceptTap, ArrivedTap, ChargeTap, DeliveredTap, DutyTap, FailedTap, KeepTap, RoadBlockedTap, RoadOpenTap, SkippedTap,
} from '../kit/generated/cab.ts'

type WithoutId<Tap> = Omit<Tap, 'tap_id'>
/** A tap before it has its id. */
export type Tap =
  | WithoutId<ArrivedTap>
  | WithoutId<DeliveredTap>
  | WithoutId<FailedTap>
  | WithoutId<SkippedTap>
  | WithoutId<AcceptTap>
  | WithoutId<KeepTap>
  | WithoutId<RoadBlockedTap>
  | WithoutId<RoadOpenTap>
  | WithoutId<ChargeTap>
  | WithoutId<DutyTap>
  | WithoutId<ScanTap>
  | WithoutId<MarkTap>
  | WithoutId<PinTap>
  | WithoutId<AgeTap>
  | WithoutId<NoteTap>
  | WithoutId<CashTap>
  | WithoutId<WayTap>
  | WithoutId<UndoTap>
  | WithoutId<AmendTap>
  | WithoutId<LoadScanTap>
  | WithoutId<LoadTap>
  | WithoutId<ReturnedTap>
  | WithoutId<LabelTap>
  | WithoutId<MakeStopTap>
  | WithoutId<HandOverTap>
  | WithoutId<ReleaseTap>
  | WithoutId<BackScanTap>
  | WithoutId<DroppedTap>

export interface EvidenceTap {
  stop_id: string
  kind: 'photo' | 'signature'
  signed_by: string
  image: Blob
}

/** Saved is said only by the agent, after its synced commit. No answer is neither yes nor no. */
export type Answer =
  | { is: 'saved'; saved: Saved }
  | { is: 'refused'; why: NotSaved; is_full: boolean }
  | { is: 'no_answer' }

const TAP_PATIENCE_MS = 8_000
const EVIDENCE_PATIENCE_MS = 30_000
const OURS = { 'X-Roundsman': '1' }

/** Hear every new view, and whether the agent answers at all. */
export function listenToAgent(onView: (view: CabView) => void, onAnswering: (is_answering: boolean) => void): () => void {
  return listen('/api/events', {
    on: (event, data) => {
      if (event === 'view') onView(JSON.parse(data) as CabView)
    },
    onAnswering,
  })
}

/** The way ahead; null while there is none or the agent does not answer. */
export async function fetchRoute(): Promise<RouteView | null> {
  return fetchJson<RouteView>('/api/route')
}

/** The way of the order that is offered; null while the agent does not answer. */
export async function fetchOfferRoute(): Promise<OfferRouteView | null> {
  return fetchJson<OfferRouteView>('/api/offer/route')
}

/** The base map on board; null while the agent does not answer. */
export async function fetchMap(): Promise<MapView | null> {
  return fetchJson<MapView>('/api/map')
}

async function fetchJson<T>(path: string): Promise<T | null> {
  try {
    const answer = await fetch(path, { cache: 'no-store' })
    return answer.ok ? ((await answer.json()) as T) : null
  } catch {
    return null // not reachable: the page shows that from the stream of events
  }
}

/** Send a tap. The same content keeps its id until it is answered, so that trying again cannot do it twice. */
export async function sendTap(tap: Tap): Promise<Answer> {
  return once(JSON.stringify(tap), (tap_id) =>
    ask('/api/taps', { 'content-type': 'application/json' }, JSON.stringify({ ...tap, tap_id }), TAP_PATIENCE_MS),
  )
}

/** Send a photo or a signature; the agent keeps it in its own encoding and answers with that one's fingerprint. */
export async function sendEvidence(evidence: EvidenceTap): Promise<Answer> {
  const { stop_id, kind, signed_by, image } = evidence
  const print = await crypto.subtle.digest('SHA-256', await image.arrayBuffer())
  const content = `${stop_id} ${kind} ${signed_by} ${Array.from(new Uint8Array(print)).join('.')}`
  return once(content, (tap_id) => {
    const query = new URLSearchParams({ kind, tap_id, signed_by })
    const path = `/api/stops/${encodeURIComponent(stop_id)}/evidence?${query}`
    return ask(path, { 'content-type': image.type || 'application/octet-stream' }, image, EVIDENCE_PATIENCE_MS)
  })
}

const unanswered = new Map<string, string>()

async function once(content: string, send: (tap_id: string) => Promise<Answer>): Promise<Answer> {
  const tap_id = unanswered.get(content) ?? crypto.randomUUID()
  unanswered.set(content, tap_id)
  const answer = await send(tap_id)
  if (answer.is !== 'no_answer') unanswered.delete(content)
  return answer
}

async function ask(path: string, headers: HeadersInit, body: BodyInit, patience_ms: number): Promise<Answer> {
  try {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { ...headers, ...OURS },
      body,
      signal: AbortSignal.timeout(patience_ms),
    })
    if (answer.ok) return { is: 'saved', saved: (await answer.json()) as Saved }
    const why = await refusal(answer)
    // 5xx other than "disk full" is the agent in trouble, not a decision about this tap.
    if (why && (answer.status < 500 || answer.status === 507)) return { is: 'refused', why, is_full: answer.status === 507 }
    return { is: 'no_answer' }
  } catch {
    return { is: 'no_answer' }
  }
}

async function refusal(answer: Response): Promise<NotSaved | null> {
  try {
    const said = (await answer.json()) as Partial<NotSaved>
    return typeof said.message === 'string' ? { trouble: said.trouble ?? null, message: said.message } : null
  } catch {
    return answer.status < 500 ? { trouble: null, message: `${answer.status} ${answer.statusText}` } : null
  }
}
