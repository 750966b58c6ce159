import { describe, expect, it } from 'vitest'

import { isWorry, isWorthSaying } from './waiting.ts'

describe('what waits in a van', () => {
  it('is worth a word after a minute and a worry after an hour', () => {
    expect([null, 59, 60, 3599, 3600].map(isWorthSaying)).toEqual([false, false, true, true, true])
    expect([null, 59, 60, 3599, 3600].map(isWorry)).toEqual([false, false, false, false, true])
  })
})
