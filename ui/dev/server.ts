/** The canned agent over HTTP, inside Vite: `npm run dev` while writing, `npx vite preview cab` over the built page.
 *
 *  `POST /dev/change` patches the view, `POST /dev/mood` says how taps are answered, `POST /dev/offer` offers another order,
 *  `POST /dev/day?next=14` starts over, `POST /dev/door` stands at a door that asks for everything,
 *  `POST /dev/meeting?side=takes` where another van is met.
 *  `ROUNDSMAN_TILES` names a folder of `z/x/y.pbf` (gzip) for a base map. */

import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Connect, Plugin } from 'vite'

import { CannedAgent, type CannedTap, type Mood } from './agent.ts'
import { day, FULL_DOOR, meetingAt, OFFER, ROUTE } from './town.ts'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; " +
  "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

export function cannedAgent(): Plugin {
  const agent = new CannedAgent()
  return {
    name: 'canned-agent',
    configureServer: (server) => void server.middlewares.use(answering(agent)),
    configurePreviewServer: (server) =>
      void server.middlewares.use((request, response, next) => {
        response.setHeader('Content-Security-Policy', POLICY)
        answering(agent)(request, response, next)
      }),
  }
}

function answering(agent: CannedAgent): Connect.NextHandleFunction {
  return (request, response, next) => {
    answer(agent, request, response).then(
      (known) => known || next(),
      (error: unknown) => next(error),
    )
  }
}

async function answer(agent: CannedAgent, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const tiles = process.env['ROUNDSMAN_TILES']
  const evidence = /^\/api\/stops\/([^/]+)\/evidence$/.exec(url.pathname)
  const tile = /^\/tiles\/(\d+)\/(\d+)\/(\d+)\.pbf$/.exec(url.pathname)
  if (url.pathname === '/api/events') stream(agent, request, response)
  else if (url.pathname === '/api/view') json(response, 200, agent.view)
  else if (url.pathname === '/api/route') json(response, 200, { ...ROUTE, route_version: agent.view.route_version })
  else if (url.pathname === '/api/offer/route') json(response, 200, { number: 0, times: 'estimate', line: [] })
  else if (url.pathname === '/api/map')
    json(response, 200, { has_tiles: !!tiles, name: 'Porto', bounds: [-8.621235, 41.124732, -8.593682, 41.156076], max_zoom: 14 })
  else if (tile) await sendTile(`${tiles}/${tile[1]}/${tile[2]}/${tile[3]}.pbf`, response)
  else if (url.pathname === '/api/taps') reply(response, guarded(request, agent.tap(JSON.parse(String(await body(request))) as CannedTap)))
  else if (evidence) {
    const query = url.searchParams
    const kind = query.get('kind') === 'photo' ? 'photo' : 'signature'
    const bytes = await body(request)
    reply(
      response,
      guarded(request, agent.evidence(evidence[1] ?? '', kind, query.get('tap_id') ?? '', query.get('signed_by') ?? '', bytes)),
    )
  } else if (url.pathname === '/dev/change') {
    agent.change(JSON.parse(String(await body(request))) as object)
    json(response, 200, agent.view)
  } else if (url.pathname === '/dev/mood') {
    agent.mood = String(await body(request)) as Mood
    json(response, 200, agent.mood)
  } else if (url.pathname === '/dev/day') {
    agent.taps = []
    agent.mood = 'well'
    agent.change(day(Number(url.searchParams.get('next') ?? 14)))
    json(response, 200, agent.view)
  } else if (url.pathname === '/dev/offer') {
    agent.change({ offer: { ...OFFER, ...(JSON.parse(String(await body(request)) || '{}') as object) } })
    json(response, 200, agent.view)
  } else if (url.pathname === '/dev/door') {
    const stops = agent.view.stops.map((stop) => (stop.stop_id === agent.view.next_stop_id ? { ...stop, ...FULL_DOOR } : stop))
    agent.change({ stops, motion: 'parked', is_within_reach: true })
    json(response, 200, agent.view)
  } else if (url.pathname === '/dev/meeting') {
    agent.change(meetingAt(agent.view, url.searchParams.get('side') === 'takes' ? 'takes' : 'gives'))
    json(response, 200, agent.view)
  } else if (url.pathname === '/dev/taps') json(response, 200, agent.taps)
  else return false
  return true
}

/** The real agent wants this header on all that changes something. */
const guarded = (request: IncomingMessage, made: ReturnType<CannedAgent['tap']>) =>
  request.headers['x-roundsman'] === '1' ? made : { status: 403, body: { trouble: null, message: 'X-Roundsman is missing.' } }

function reply(response: ServerResponse, made: ReturnType<CannedAgent['tap']>): void {
  if (made) json(response, made.status, made.body)
  // A silent agent: the page must run out of patience by itself.
}

function json(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(content))
}

function stream(agent: CannedAgent, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const stop = agent.listen((view) => response.write(`event: view\ndata: ${JSON.stringify(view)}\n\n`))
  const beat = setInterval(() => response.write(': alive\n\n'), 10_000)
  request.on('close', () => {
    clearInterval(beat)
    stop()
  })
}

async function sendTile(path: string, response: ServerResponse): Promise<void> {
  try {
    const bytes = await readFile(path)
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' })
    response.end(bytes)
  } catch {
    response.writeHead(204).end()
  }
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
