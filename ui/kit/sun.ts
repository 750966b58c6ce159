/** Whether the sun is down: good to a minute or two, which is all a screen's colours need. */

const RAD = Math.PI / 180

/** The sun's height over the horizon in degrees (Astronomical Almanac's low-precision formulas). */
export function sunElevation_deg(at_ms: number, lat_deg: number, lon_deg: number): number {
  const days = at_ms / 86_400_000 - 10_957.5 // since 2000-01-01 12:00 UTC
  const anomaly = (357.528 + 0.9856003 * days) * RAD
  const longitude = (280.46 + 0.9856474 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * RAD
  const tilt = 23.439 * RAD
  const declination = Math.asin(Math.sin(tilt) * Math.sin(longitude))
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(longitude), Math.cos(longitude))
  const sidereal = (280.46061837 + 360.98564736629 * days + lon_deg) * RAD
  const hour = sidereal - ascension
  const lat = lat_deg * RAD
  return Math.asin(Math.sin(lat) * Math.sin(declination) + Math.cos(lat) * Math.cos(declination) * Math.cos(hour)) / RAD
}

/** Dusk is when street lamps go on: the sun three degrees under the horizon. */
export function isNight(at_ms: number, lat_deg: number, lon_deg: number): boolean {
  return sunElevation_deg(at_ms, lat_deg, lon_deg) < -3
}
