/** Day or night. The sun decides; one tap overrules it, and holds until the sun itself changes its mind. */

export type Theme = 'day' | 'night'

/** What the user chose, and what the sun said at that moment. A browser's preference, never the server's. */
export interface Choice {
  theme: Theme
  sun: Theme
}

const KEY = 'roundsman.theme'

export function themeNow(sun: Theme, choice: Choice | null): Theme {
  return choice && choice.sun === sun ? choice.theme : sun
}

export function readChoice(storage: Pick<Storage, 'getItem'>): Choice | null {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? 'null') as Partial<Choice> | null
    const known = (theme: unknown): theme is Theme => theme === 'day' || theme === 'night'
    return kept && known(kept.theme) && known(kept.sun) ? { theme: kept.theme, sun: kept.sun } : null
  } catch {
    return null // a preference that cannot be read is no preference
  }
}

export function keepChoice(storage: Pick<Storage, 'setItem'>, choice: Choice): void {
  try {
    storage.setItem(KEY, JSON.stringify(choice))
  } catch {
    // Private windows may refuse to keep anything; the choice then lasts as long as the page.
  }
}

export function applyTheme(theme: Theme): void {
  document.documentElement.dataset['theme'] = theme
}
