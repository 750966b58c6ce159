/** Instants as words: always in the depot's zone, 24 or 12 hours as the language does it. */

import type { Locale } from './messages/index.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

function format(locale: Locale, timezone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${timezone}|${JSON.stringify(options)}`
  let made = formats.get(key)
  if (!made) {
    made = new Intl.DateTimeFormat(locale, { timeZone: timezone, ...options })
    formats.set(key, made)
  }
  return made
}

/** The user's own wish for 12 or 24 hours comes with the full tag ("en-US"); "en" alone is read as en-GB. */
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }

/** "14:05"; "2:05 pm" where the locale counts twice to twelve. */
export function clock(at: string | number | Date, timezone: string, locale: Locale): string {
  const made = format(locale, timezone, CLOCK)
  if (!made.resolvedOptions().hour12) return made.format(new Date(at))
  return format(locale, timezone, { hour: 'numeric', minute: '2-digit' }).format(new Date(at))
}

/** "14:05:09", for records. */
export function clockSeconds(at: string | number | Date, timezone: string, locale: Locale): string {
  return format(locale, timezone, { ...CLOCK, second: '2-digit' }).format(new Date(at))
}

/** "14:15–14:45". */
export function clockRange(from: string | number, to: string | number, timezone: string, locale: Locale): string {
  return `${clock(from, timezone, locale)}–${clock(to, timezone, locale)}`
}

/** "Tue 24 Nov". */
export function dayName(at: string | number | Date, timezone: string, locale: Locale): string {
  return format(locale, timezone, { weekday: 'short', day: 'numeric', month: 'short' }).format(new Date(at)).replace(',', '')
}

/** "23 Nov 2026" of a plain date, "2026-11-23". */
export function calendarDay(date: string, locale: Locale): string {
  return format(locale, 'UTC', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(`${date}T12:00:00Z`))
}

/** The full hours within an axis, in epoch milliseconds: its grid lines. Whole hours of the zone, not of UTC. */
export function fullHours(from_ms: number, to_ms: number, timezone: string): number[] {
  const minute = Number(format('en-GB', timezone, { minute: '2-digit' }).format(new Date(from_ms)))
  const hour_ms = 3_600_000
  const first_ms = Math.floor(from_ms / 60_000) * 60_000 + (minute === 0 ? 0 : (60 - minute) * 60_000)
  const hours: number[] = []
  for (let at = first_ms; at <= to_ms; at += hour_ms) if (at >= from_ms) hours.push(at)
  return hours
}

/** "60 m", "1.2 km", "14 km": as exact as a driver can use. */
export function distance(metres: number, locale: Locale): string {
  if (metres < 20) return `${Math.round(metres)} m`
  if (metres < 995) return `${metres < 300 ? Math.round(metres / 10) * 10 : Math.round(metres / 50) * 50} m`
  const kilometres = metres / 1000
  const digits = kilometres < 9.95 ? 1 : 0
  return `${kilometres.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })} km`
}
