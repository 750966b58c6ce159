/** The language of this page, chosen once when it loads, and its words. */

import { chooseLanguage, translator } from '../kit/messages/index.ts'
import { messages } from '../kit/messages/console/index.ts'

const asked = new URLSearchParams(location.search).get('lang')

export const { language, locale } = chooseLanguage([...(asked ? [asked] : []), ...navigator.languages])
export const t = translator(messages, language)
