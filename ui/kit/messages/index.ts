/** One catalogue for every word on a screen. English defines the keys; a language with a key missing does not compile.
 *
 *  Each area (`common`, `cab`, `console`) has one file a language. `{name}` is filled in; plurals follow Intl. */

export type Plural = { one: string; other: string }
export type Words = Record<string, string | Plural>
/** The same keys as the English file, each plural a plural. */
export type Translation<English extends Words> = { [K in keyof English]: English[K] extends string ? string : Plural }

export const LANGUAGES = ['en', 'es', 'pt', 'de', 'fr'] as const
export type Language = (typeof LANGUAGES)[number]
/** A full tag such as "pt-PT", for dates and numbers. */
export type Locale = string
export type Filled = Record<string, string | number>
export type TranslateKey<K extends string> = (key: K, filled?: Filled) => string

export type Catalogue<English extends Words> = Record<Language, Translation<English>>

/** The first of the user's languages that we speak, with the tag to format by. */
export function chooseLanguage(wanted: readonly string[]): { language: Language; locale: Locale } {
  for (const tag of wanted) {
    const language = LANGUAGES.find((known) => known === tag.toLowerCase().split('-')[0])
    // "en" alone says nothing about the clock; most of the world, and our depots, count to 24.
    if (language) return { language, locale: tag === 'en' ? 'en-GB' : tag }
  }
  return { language: 'en', locale: 'en-GB' }
}

/** A function from key to words in one language. */
export function translator<English extends Words>(
  catalogue: Catalogue<English>,
  language: Language,
): TranslateKey<keyof English & string> {
  const plural = new Intl.PluralRules(language)
  return (key, filled = {}) => {
    const entry: string | Plural = catalogue[language][key]
    const words = typeof entry === 'string' ? entry : plural.select(Number(filled['n'])) === 'one' ? entry.one : entry.other
    return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(filled[name] ?? whole))
  }
}

import type { common } from './common/en.ts'
/** What the kit's own parts need: any page's translator can be handed to them. */
export type Translate = TranslateKey<keyof typeof common>
