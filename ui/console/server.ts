/** The only file that speaks to the coordinator. */

import { listen } from '../kit/events.ts'
import type {
  Ending, ApiProblem, AssignReport, Closure, ClosureView, FleetPicture, ImportReport, MapView, SequencePolicy, StopPage, StopRow, VanRoute,
  VanView,
} from '../kit/generated/console.ts'

export interface Hearing {
  picture(picture: FleetPicture): void
  vans(vans: VanView[]): void
  stops(stops: StopRow[]): void
  closures(closures: ClosureView[]): void
  endings(endings: Ending[]): void
  answering(is_answering: boolean): void
}

/** What was asked, why not, or silence. Silence after a change is neither yes nor no. */
export type Answer<T> = { is: 'done'; value: T } | { is: 'refused'; status: number; message: string } | { is: 'no_answer' }

const PATIENCE_MS = 20_000
/** Sequencing a large day takes its time. */
const ASSIGN_PATIENCE_MS = 180_000
const OURS = { 'X-Roundsman': '1' }

/** Hear the picture and then what changes in it, until the answer is called. */
export function listenToFleet(hearing: Hearing): () => void {
  return listen('/api/events', {
    on(event, data) {
      if (event === 'picture') hearing.picture(JSON.parse(data) as FleetPicture)
      else if (event === 'vans') hearing.vans(JSON.parse(data) as VanView[])
      else if (event === 'stops') hearing.stops(JSON.parse(data) as StopRow[])
      else if (event === 'closures') hearing.closures(JSON.parse(data) as ClosureView[])
      else if (event === 'endings') hearing.endings(JSON.parse(data) as Ending[])
    },
    onAnswering: (is_answering) => hearing.answering(is_answering),
    onRefused: leaveWhenSignedOut,
  })
}

/** A session ends by its time, by a new password, or in another window. */
function leaveWhenSignedOut(status: number): void {
  if (status === 401) location.assign('/login')
}

const part = encodeURIComponent

export const fetchMap = (): Promise<Answer<MapView>> => ask('/api/map')
export const fetchStop = (stop_id: string): Promise<Answer<StopPage>> => ask(`/api/stops/${part(stop_id)}`)
export const fetchRoute = (van: string): Promise<Answer<VanRoute>> => ask(`/api/vans/${part(van)}/route`)

/** Where the bytes of a proof are, once they are whole. */
export const blobUrl = (sha256: string): string => `/api/blobs/${part(sha256)}`

/** The stop's proof as a page for the shipper, and as a file for `python -m cloud verify`. */
export const proofPageUrl = (stop_id: string): string => `/api/stops/${part(stop_id)}/proof.pdf`
export const bundleUrl = (stop_id: string): string => `/api/stops/${part(stop_id)}/bundle`

export function importOrders(file: Blob, day: string, is_dry_run: boolean): Promise<Answer<ImportReport>> {
  const query = new URLSearchParams({ dry_run: is_dry_run ? '1' : '0', day })
  return change('POST', `/api/orders/import?${query}`, file, 'text/csv', ASSIGN_PATIENCE_MS)
}

export const assignDay = (day: string): Promise<Answer<AssignReport>> =>
  change('POST', `/api/assign?${new URLSearchParams({ day })}`, null, null, ASSIGN_PATIENCE_MS)

/** Who may change the order of a van's stops today, in a new list that says the same otherwise. */
export const setPolicy = (van: string, policy: SequencePolicy): Promise<Answer<AssignReport>> =>
  change('PUT', `/api/vans/${part(van)}/policy`, JSON.stringify({ policy }), 'application/json')

export const cancelOrder = (stop_id: string): Promise<Answer<AssignReport>> =>
  change('POST', `/api/orders/${part(stop_id)}/cancel`)

/** Ask the van that has a stop to release it to another one; one that no van has changes at once. */
export const moveStop = (stop_id: string, to_van: string): Promise<Answer<AssignReport>> =>
  change('POST', `/api/orders/${part(stop_id)}/move`, JSON.stringify({ to_van }), 'application/json')

export const takeBackMove = (stop_id: string): Promise<Answer<AssignReport>> => change('DELETE', `/api/orders/${part(stop_id)}/move`)

export interface MeetingAsked {
  from_van: string
  to_van: string
  stop_ids: string[]
  lat_deg: number
  lon_deg: number
  place: string
}

/** Plan where two vans hand goods over that are aboard. */
export const planMeeting = (asked: MeetingAsked): Promise<Answer<AssignReport>> =>
  change('POST', '/api/meetings', JSON.stringify(asked), 'application/json')

export const closeRoad = (closure: Closure): Promise<Answer<ClosureView>> =>
  change('POST', '/api/closures', JSON.stringify(closure), 'application/json')

export const openRoad = (closure_id: string): Promise<Answer<unknown>> => change('DELETE', `/api/closures/${part(closure_id)}`)

function change<T>(
  method: string, path: string, body: BodyInit | null = null, type: string | null = null, patience_ms = PATIENCE_MS,
): Promise<Answer<T>> {
  return ask(path, { method, body, headers: { ...OURS, ...(type ? { 'content-type': type } : {}) } }, patience_ms)
}

async function ask<T>(path: string, init: RequestInit = {}, patience_ms = PATIENCE_MS): Promise<Answer<T>> {
  try {
    const answer = await fetch(path, { cache: 'no-store', ...init, signal: AbortSignal.timeout(patience_ms) })
    if (answer.ok) return { is: 'done', value: (await answer.json()) as T }
    leaveWhenSignedOut(answer.status)
    return { is: 'refused', status: answer.status, message: await problemIn(answer) }
  } catch {
    return { is: 'no_answer' }
  }
}

async function problemIn(answer: Response): Promise<string> {
  const otherwise = `${answer.status} ${answer.statusText}`
  try {
    return ((await answer.json()) as Partial<ApiProblem>).message ?? otherwise
  } catch {
    return otherwise
  }
}
