/** The cab's catalogue: the common words and its own. */

import { common as commonDe } from '../common/de.ts'
import { common as commonEn } from '../common/en.ts'
import { common as commonEs } from '../common/es.ts'
import { common as commonFr } from '../common/fr.ts'
import { common as commonPt } from '../common/pt.ts'
import type { Catalogue } from '../index.ts'
import { cab as de } from './de.ts'
import { cab as en } from './en.ts'
import { cab as es } from './es.ts'
import { cab as fr } from './fr.ts'
import { cab as pt } from './pt.ts'

const english = { ...commonEn, ...en } as const

export const messages: Catalogue<typeof english> = {
  en: english,
  es: { ...commonEs, ...es },
  pt: { ...commonPt, ...pt },
  de: { ...commonDe, ...de },
  fr: { ...commonFr, ...fr },
}
