/** A bar code reader is a keyboard that types faster than any hand and ends with Enter. */

/** Longer between two keys, and it was a hand. */
const GAP_MS = 80
const SHORTEST = 4
/** What a reader sends for FNC1. */
const GS = '\u001d'

/** Hear whole codes; keys that go into a field are that field's. Returns how to stop. */
export function readCodes(onCode: (code: string) => void): () => void {
  let read = ''
  let at_ms = 0
  const key = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return
    if (event.timeStamp - at_ms > GAP_MS) read = ''
    at_ms = event.timeStamp
    if (event.key === 'Enter') {
      // A reader ends a code; Enter on a button is a person's.
      if (read.length >= SHORTEST) {
        event.preventDefault()
        onCode(read)
      }
      read = ''
    } else if (event.key === ']' && event.ctrlKey) {
      event.preventDefault()
      read += GS
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
      // The blank of a code would press the button that has the focus.
      if (event.key === ' ' && read) event.preventDefault()
      read += event.key
    }
  }
  window.addEventListener('keydown', key, true)
  return () => window.removeEventListener('keydown', key, true)
}

let audio: AudioContext | null = null

/** One high note for right; two low ones for anything else. Silent where there is no sound. */
export function tone(is_right: boolean): void {
  try {
    audio ??= new AudioContext()
    const begin = audio.currentTime
    for (const [after_s, hertz] of is_right ? [[0, 1320] as const] : [[0, 220] as const, [0.18, 220] as const]) {
      const voice = audio.createOscillator()
      const loud = audio.createGain()
      voice.frequency.value = hertz
      loud.gain.value = 0.2
      voice.connect(loud).connect(audio.destination)
      voice.start(begin + after_s)
      voice.stop(begin + after_s + 0.12)
    }
  } catch {
    // No sound on this machine: verdict, colour and sign say the same.
  }
}
