/** Where one is in the console, as the address bar keeps it: a link to a filtered list or a selected van can be sent. */

import type { StopStatus } from '../kit/generated/console.ts'
import { SHOWS, type Show } from './vans.ts'

export const STATUSES = ['unassigned', 'planned', 'arrived', 'completed', 'failed', 'cancelled'] as const satisfies StopStatus[]

export interface StopFilter {
  status: StopStatus | null
  van: string | null
  text: string
  is_flagged: boolean
}

export type Address =
  /** `stop_id`: a stop shown on the map although no selected van is driving to it. */
  | { is: 'live'; van: string | null; stop_id: string | null; show: Show }
  | { is: 'stops'; filter: StopFilter }
  | { is: 'stop'; stop_id: string }
  | { is: 'orders' }

export const NO_FILTER: StopFilter = { status: null, van: null, text: '', is_flagged: false }

const known = <T extends string>(all: readonly T[], word: string | null): T | null => all.find((each) => each === word) ?? null

/** The part after "#"; anything unknown leads to the live page. */
export function readAddress(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?')
  const asked = new URLSearchParams(query)
  const [view, ...rest] = path.split('/')
  if (view === 'orders') return { is: 'orders' }
  if (view === 'stops' && rest.length) return { is: 'stop', stop_id: decode(rest.join('/')) }
  if (view === 'stops')
    return {
      is: 'stops',
      filter: {
        status: known(STATUSES, asked.get('status')), van: asked.get('van'), text: asked.get('q') ?? '',
        is_flagged: asked.get('look') === '1',
      },
    }
  return { is: 'live', van: asked.get('van'), stop_id: asked.get('stop'), show: known(SHOWS, asked.get('show')) ?? 'all' }
}

export function writeAddress(address: Address): string {
  const query = (fields: Record<string, string | null>): string => {
    const given = Object.entries(fields).filter((field): field is [string, string] => !!field[1])
    return given.length ? `?${new URLSearchParams(given)}` : ''
  }
  switch (address.is) {
    case 'orders':
      return '#/orders'
    case 'stop':
      return `#/stops/${encodeURIComponent(address.stop_id)}`
    case 'stops': {
      const { status, van, text, is_flagged } = address.filter
      return `#/stops${query({ status, van, q: text, look: is_flagged ? '1' : null })}`
    }
    case 'live':
      return `#/live${query({ van: address.van, stop: address.stop_id, show: address.show === 'all' ? null : address.show })}`
  }
}

export const liveAt = (van: string | null, stop_id: string | null = null): Address => ({ is: 'live', van, stop_id, show: 'all' })
export const stopsWith = (filter: Partial<StopFilter>): Address => ({ is: 'stops', filter: { ...NO_FILTER, ...filter } })

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a hand-typed "%": taken as it stands
  }
}
