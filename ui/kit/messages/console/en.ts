/** Words of the operations console. */

export const console_ = {
  title: 'Roundsman',
} as const
