/** The language of this screen, chosen once when the page loads, and its words. */

import { chooseLanguage, translator } from '../kit/messages/index.ts'
import { messages } from '../kit/messages/cab/index.ts'

const asked = new URLSearchParams(location.search).get('lang')

export const { language, locale } = chooseLanguage([...(asked ? [asked] : []), ...navigator.languages])
export const t = translator(messages, language)
