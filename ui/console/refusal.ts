/** Why something was not done, in words; empty when it was. */

import type { Answer } from './server.ts'
import { t } from './words.ts'

export function refusal(answer: Answer<unknown>): string {
  if (answer.is === 'done') return ''
  return answer.is === 'refused' ? answer.message : t('no_answer_change')
}
