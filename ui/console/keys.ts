/** Keys that work everywhere in the console. */

/** Which entry an arrow, Home or End leads to; null for any other key. */
export function moved(key: string, at: number, count: number, page = 10): number | null {
  if (count === 0) return null
  const clamp = (index: number): number => Math.min(count - 1, Math.max(0, index))
  switch (key) {
    case 'ArrowDown':
      return clamp(at + 1)
    case 'ArrowUp':
      return clamp(at - 1)
    case 'PageDown':
      return clamp(at + page)
    case 'PageUp':
      return clamp(at - page)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}

/** Whether a key press is meant for a field and not for the page. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null
  return !!target && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}
