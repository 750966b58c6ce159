/** A manoeuvre as a sentence ("Turn left onto Rua do Almada"), in the driver's language, by OSRM's own texts. */

import type { ManoeuvreView } from '../kit/generated/cab.ts'

export type Wording = (manoeuvre: ManoeuvreView) => string

/** Where the arrow and the street's name say it all, a sentence only takes longer to read. */
const PLAIN = new Set(['turn', 'end of road', 'continue', 'new name'])

const TURNS = /left|right|uturn/

/** The texts for a locale ("pt-PT"). They are a good part of a megabyte, so they come only once there is a way. */
export async function loadWording(locale: string): Promise<Wording> {
  const { default: texts } = await import('osrm-text-instructions')
  const words = texts('v5')
  const language = codeOf(locale)
  return (manoeuvre) => words.compile(language, stepOf(manoeuvre))
}

/** What the panel says: the street where the arrow tells the rest, otherwise the sentence; `straight` is *Straight ahead*. */
export function panelWords(manoeuvre: ManoeuvreView, wording: Wording | null, straight: string): string {
  if (PLAIN.has(manoeuvre.type) && manoeuvre.street) return manoeuvre.street
  return wording?.(manoeuvre) ?? (manoeuvre.street || manoeuvre.ref || (TURNS.test(manoeuvre.modifier) ? '' : straight))
}

export const isRoundabout = (manoeuvre: ManoeuvreView): boolean => /^(roundabout|rotary|exit r)/.test(manoeuvre.type)

const codeOf = (locale: string): string =>
  locale.startsWith('pt') ? (locale === 'pt-BR' ? 'pt-BR' : 'pt-PT') : (locale.split('-')[0] ?? 'en')

function stepOf(manoeuvre: ManoeuvreView) {
  return {
    name: manoeuvre.street,
    ref: manoeuvre.ref,
    destinations: manoeuvre.destinations,
    rotary_name: manoeuvre.roundabout,
    driving_side: manoeuvre.keeps,
    // OSRM leaves the modifier out where there is nothing to turn to.
    maneuver: { type: manoeuvre.type, modifier: manoeuvre.modifier || 'straight', ...(manoeuvre.exit && { exit: manoeuvre.exit }) },
  }
}
