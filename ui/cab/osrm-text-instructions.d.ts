declare module 'osrm-text-instructions' {
  interface Step {
    name: string
    ref: string
    destinations: string
    rotary_name: string
    driving_side: string
    maneuver: { type: string; modifier: string; exit?: number }
  }
  const compiler: (version: 'v5') => { compile: (language: string, step: Step, options?: object) => string }
  export default compiler
}
