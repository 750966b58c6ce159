/** Server-sent events over fetch, so that silence is noticed too: a hung server keeps its connection open and says
 *  nothing, which the browser's own EventSource takes for health. Reconnects by itself, for ever. */

export interface Listener {
  on(event: string, data: string): void
  /** True from the first byte on; false when the server cannot be reached, hangs up or falls silent. */
  onAnswering(is_answering: boolean): void
  /** The server answered, and said no. */
  onRefused?(status: number): void
}

export interface Patience {
  /** Longest silence; the server says at least a comment every 10 s. */
  silence_ms: number
  retry_ms: number
}

export interface Parsed {
  events: { event: string; data: string }[]
  /** What is left of an event that has not come whole. */
  rest: string
}

/** Split what has come so far into whole events. Comments (lines starting with a colon) only prove life. */
export function parseEvents(text: string): Parsed {
  const blocks = text.replaceAll('\r\n', '\n').split('\n\n')
  const rest = blocks.pop() ?? ''
  const events: Parsed['events'] = []
  for (const block of blocks) {
    let event = 'message'
    const data: string[] = []
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':')
      if (colon <= 0) continue
      const value = line.slice(colon + 1).replace(/^ /, '')
      if (line.startsWith('event:')) event = value
      else if (line.startsWith('data:')) data.push(value)
    }
    if (data.length) events.push({ event, data: data.join('\n') })
  }
  return { events, rest }
}

/** Listen until the answer is called. */
export function listen(
  url: string,
  listener: Listener,
  patience: Patience = { silence_ms: 25_000, retry_ms: 1_000 },
): () => void {
  let stopped = false
  let current: AbortController | null = null

  async function once(): Promise<void> {
    const control = new AbortController()
    current = control
    let watchdog = setTimeout(() => control.abort(), patience.silence_ms)
    try {
      const answer = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: control.signal, cache: 'no-store' })
      if (!answer.ok) listener.onRefused?.(answer.status)
      if (!answer.ok || !answer.body) throw new Error(`${url} answered ${answer.status}`)
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        clearTimeout(watchdog)
        watchdog = setTimeout(() => control.abort(), patience.silence_ms)
        listener.onAnswering(true)
        const parsed = parseEvents(text + value)
        text = parsed.rest
        for (const { event, data } of parsed.events) listener.on(event, data)
      }
    } finally {
      clearTimeout(watchdog)
    }
  }

  async function forEver(): Promise<void> {
    while (!stopped) {
      try {
        await once()
      } catch (error) {
        // Not reachable, hung up or silent: an ordinary state that the page shows. Anything else is worth a line.
        if (!(error instanceof TypeError) && !(error instanceof DOMException)) console.warn('events:', error)
      }
      if (stopped) return
      listener.onAnswering(false)
      await new Promise((resolve) => setTimeout(resolve, patience.retry_ms))
    }
  }

  void forEver()
  return () => {
    stopped = true
    current?.abort()
  }
}
