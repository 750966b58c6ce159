/** Codes as a person reads them. */

/** "… 4567 897": the end is what tells parcels of one shipper apart. */
export function shortCode(code: string): string {
  if (!/^\d{18}$/.test(code)) return code.length > 22 ? `… ${code.slice(-20)}` : code
  return `… ${code.slice(-8, -4)} ${code.slice(-4)}`
}
