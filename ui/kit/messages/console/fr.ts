import type { Translation } from '../index.ts'
import type { console_ as english } from './en.ts'

export const console_: Translation<typeof english> = {
  title: 'Roundsman',
}
