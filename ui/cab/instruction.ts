/** A picture for the customer's own words, where one is plain; otherwise the sign for a note. */

import type { IconName } from '../kit/icons.ts'

const QUIET = /don.?t ring|do not ring|no ring|no (toque|llam)|não toc|nicht klingeln|ne pas sonner/i
const RING = /ring|toque|llame|klingel|sonne/i
const DOOR = /door|gate|puerta|porta|tür|porte/i

export function instructionIcon(instruction: string): IconName {
  if (QUIET.test(instruction)) return 'bellSlash'
  if (RING.test(instruction)) return 'bell'
  return DOOR.test(instruction) ? 'door' : 'info'
}
