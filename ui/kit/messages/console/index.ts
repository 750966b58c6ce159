/** The console's catalogue: the common words and its own. */

import { common as commonDe } from '../common/de.ts'
import { common as commonEn } from '../common/en.ts'
import { common as commonEs } from '../common/es.ts'
import { common as commonFr } from '../common/fr.ts'
import { common as commonPt } from '../common/pt.ts'
import type { Catalogue } from '../index.ts'
import { console_ as de } from './de.ts'
import { console_ as en } from './en.ts'
import { console_ as es } from './es.ts'
import { console_ as fr } from './fr.ts'
import { console_ as pt } from './pt.ts'

const english = { ...commonEn, ...en } as const

export const messages: Catalogue<typeof english> = {
  en: english,
  es: { ...commonEs, ...es },
  pt: { ...commonPt, ...pt },
  de: { ...commonDe, ...de },
  fr: { ...commonFr, ...fr },
}
