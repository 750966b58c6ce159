/** What waits in a van for the coordinator: when its age is worth a word, and when it is worth a worry. Both screens. */

/** Younger than this it is just on its way. */
export const WORTH_SAYING_S = 60
/** From here on it is a worry: what is only in the van is lost with the van. */
export const WORRY_AFTER_S = 3600

export const isWorthSaying = (oldest_s: number | null): oldest_s is number => oldest_s !== null && oldest_s >= WORTH_SAYING_S
export const isWorry = (oldest_s: number | null): oldest_s is number => oldest_s !== null && oldest_s >= WORRY_AFTER_S
