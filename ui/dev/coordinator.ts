/** A canned coordinator inside Vite: `npx vite console` while writing, `npx vite preview console` over the built page.
 *
 *  `POST /dev/vans` and `/dev/stops` patch by name and tell the page; `POST /dev/reset` starts over.
 *  `ROUNDSMAN_TILES` names a folder of `z/x/y.pbf` (gzip). `ROUNDSMAN_STOPS=20000` makes the day that long. */

import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Connect, Plugin } from 'vite'

import type { AssignReport, Closure, FleetPicture, ImportReport, SequencePolicy, StopRow, VanView } from '../kit/generated/console.ts'
import { morning, PHOTO, SIGNATURE, stopPage } from './fleet.ts'
import { WAY } from './porto.ts'
import { DOOR, SCRAWL } from './proof.ts'

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; connect-src 'self'; " +
  "img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; form-action 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'"

class CannedCoordinator {
  picture: FleetPicture = longer(morning(), Number(process.env['ROUNDSMAN_STOPS'] ?? 0))
  private readonly watchers = new Set<(event: string, content: unknown) => void>()

  watch(watcher: (event: string, content: unknown) => void): () => void {
    this.watchers.add(watcher)
    watcher('picture', this.picture)
    return () => this.watchers.delete(watcher)
  }

  reset(): void {
    this.picture = morning()
    this.tell('picture', this.picture)
  }

  changeVans(patches: ({ van: string } & Partial<VanView>)[]): void {
    const changed = patches.map((patch) => ({ ...(this.picture.vans.find((van) => van.van === patch.van) as VanView), ...patch }))
    this.picture = { ...this.picture, vans: this.picture.vans.map((van) => changed.find((each) => each.van === van.van) ?? van) }
    this.tell('vans', changed)
  }

  changeStops(patches: ({ stop_id: string } & Partial<StopRow>)[]): void {
    const changed = patches.map((patch) => ({ ...(this.stop(patch.stop_id) as StopRow), ...patch }))
    this.picture = { ...this.picture, stops: this.picture.stops.map((stop) => changed.find((each) => each.stop_id === stop.stop_id) ?? stop) }
    this.tell('stops', changed)
  }

  close(closure: Closure): unknown {
    const { note, valid_from, valid_until } = closure
    const line = closure.line.map(([lat, lon]): [number, number] => [lon, lat])
    const view = { closure_id: `closure-${this.picture.closures.length + 1}`, note, line, valid_from, valid_until }
    this.picture = { ...this.picture, closures: [...this.picture.closures, view] }
    this.tell('closures', this.picture.closures)
    return view
  }

  open(closure_id: string): void {
    this.picture = { ...this.picture, closures: this.picture.closures.filter((closure) => closure.closure_id !== closure_id) }
    this.tell('closures', this.picture.closures)
  }

  /** Rows without a number at the start are bad; the rest are taken. */
  importFile(text: string, is_dry_run: boolean): ImportReport {
    const lines = text.trim().split('\n').slice(1)
    const bad = lines.flatMap((line, i) => (/^\w/.test(line) ? [] : [i + 2]))
    const problems = bad.map((row) => ({ row, column: 'lat_deg', problem: 'is empty: an order needs a place, there is no geocoder yet' }))
    return { is_dry_run, rows: lines.length, added: lines.length - bad.length, updated: 0, unchanged: 0, problems }
  }

  assign(): AssignReport {
    const waiting = this.picture.stops.filter((stop) => stop.status === 'unassigned')
    const [first, ...rest] = waiting
    if (first) this.changeStops([{ stop_id: first.stop_id, status: 'planned', van: 'van-2', why_unassigned: '' }])
    const unassigned = Object.fromEntries(rest.map((stop) => [stop.stop_id, 'no van has room before 17:00']))
    return { day: this.picture.day, manifests: { 'van-2': 4 }, assigned: first ? 1 : 0, unassigned }
  }

  stop(stop_id: string): StopRow | undefined {
    return this.picture.stops.find((stop) => stop.stop_id === stop_id)
  }

  private tell(event: string, content: unknown): void {
    for (const watcher of this.watchers) watcher(event, content)
  }
}

function longer(picture: FleetPicture, count: number): FleetPicture {
  const stops = [...picture.stops]
  for (let i = 0; stops.length < count; i++) {
    const like = picture.stops[i % picture.stops.length] as StopRow
    stops.push({ ...like, stop_id: `${like.stop_id}-${i}`, order_ref: `${60_000 + i}` })
  }
  return { ...picture, stops }
}

export function cannedCoordinator(): Plugin {
  const coordinator = new CannedCoordinator()
  return {
    name: 'canned-coordinator',
    configureServer: (server) => void server.middlewares.use(answering(coordinator)),
    configurePreviewServer: (server) =>
      void server.middlewares.use((request, response, next) => {
        response.setHeader('Content-Security-Policy', POLICY)
        answering(coordinator)(request, response, next)
      }),
  }
}

function answering(coordinator: CannedCoordinator): Connect.NextHandleFunction {
  return (request, response, next) => {
    answer(coordinator, request, response).then(
      (known) => known || next(),
      (error: unknown) => next(error),
    )
  }
}

async function answer(coordinator: CannedCoordinator, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const tiles = process.env['ROUNDSMAN_TILES']
  const [, root = '', kind = '', name = '', verb = ''] = url.pathname.split('/').map(decodeURIComponent)
  const tile = /^\/tiles\/(\d+)\/(\d+)\/(\d+)\.pbf$/.exec(url.pathname)
  if (tile) await sendTile(`${tiles}/${tile[1]}/${tile[2]}/${tile[3]}.pbf`, response)
  else if (root === 'dev') await change(coordinator, kind, request, response)
  else if (root !== 'api') return false
  else if (request.method !== 'GET' && request.headers['x-roundsman'] !== '1')
    json(response, 403, { problem: 'bad_request', message: 'X-Roundsman is missing.' })
  else if (kind === 'picture') json(response, 200, coordinator.picture)
  else if (kind === 'events') stream(coordinator, request, response)
  else if (kind === 'map')
    json(response, 200, { has_tiles: !!tiles, name: 'Porto', bounds: [-8.621235, 41.124732, -8.593682, 41.156076], max_zoom: 14 })
  else if (kind === 'blobs') picture(response, name === PHOTO ? DOOR : name === SIGNATURE ? SCRAWL : '')
  else if (kind === 'vans' && verb === 'route') json(response, 200, { van: name, times: 'roads', line: wayOf(coordinator, name) })
  else if (kind === 'vans' && verb === 'policy') {
    const { policy } = JSON.parse(String(await body(request))) as { policy: SequencePolicy }
    coordinator.changeVans([{ van: name, policy }])
    json(response, 200, { day: coordinator.picture.day, manifests: { [name]: 4 }, assigned: 0, unassigned: {} })
  } else if (kind === 'stops') {
    const stop = coordinator.stop(name)
    if (stop) json(response, 200, stopPage(stop))
    else json(response, 404, { problem: 'not_found', message: `there is no stop ${name}` })
  } else if (kind === 'orders' && name === 'import') {
    const text = String(await body(request))
    if (text.includes(',')) json(response, 200, coordinator.importFile(text, url.searchParams.get('dry_run') === '1'))
    else json(response, 400, { problem: 'bad_request', message: 'this is no table of orders: the first line must name the columns' })
  } else if (kind === 'orders' && verb === 'cancel') {
    coordinator.changeStops([{ stop_id: name, status: 'cancelled', eta: null }])
    json(response, 200, { day: coordinator.picture.day, manifests: {}, assigned: 0, unassigned: {} })
  } else if (kind === 'orders' && verb === 'move') {
    const stop = coordinator.stop(name)
    const to_van = request.method === 'DELETE' ? '' : (JSON.parse(String(await body(request))) as { to_van: string }).to_van
    const asked = {
      from_van: stop?.van ?? '', to_van: to_van || (stop?.transfer?.to_van ?? ''), meeting_id: null, asked_at: coordinator.picture.now,
      end: to_van ? null : ('withdrawn' as const), why: '', given: null, taken: null,
    }
    coordinator.changeStops([{ stop_id: name, transfer: asked }])
    json(response, 200, { day: coordinator.picture.day, manifests: {}, assigned: 0, unassigned: {} })
  } else if (kind === 'meetings') {
    const { from_van, to_van, stop_ids } = JSON.parse(String(await body(request))) as { from_van: string; to_van: string; stop_ids: string[] }
    const asked = { from_van, to_van, meeting_id: 'm1', asked_at: coordinator.picture.now, end: null, why: '', given: null, taken: null }
    coordinator.changeStops(stop_ids.map((stop_id) => ({ stop_id, transfer: asked })))
    json(response, 200, { day: coordinator.picture.day, manifests: {}, assigned: 0, unassigned: {} })
  } else if (kind === 'assign') json(response, 200, coordinator.assign())
  else if (kind === 'closures' && request.method === 'POST')
    json(response, 200, coordinator.close(JSON.parse(String(await body(request))) as Closure))
  else if (kind === 'closures') {
    coordinator.open(name)
    json(response, 200, { closure_id: name })
  } else return false
  return true
}

async function change(coordinator: CannedCoordinator, what: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const content = String(await body(request))
  if (what === 'vans') coordinator.changeVans(JSON.parse(content) as ({ van: string } & Partial<VanView>)[])
  else if (what === 'stops') coordinator.changeStops(JSON.parse(content) as ({ stop_id: string } & Partial<StopRow>)[])
  else coordinator.reset()
  json(response, 200, {})
}

function wayOf(coordinator: CannedCoordinator, name: string): [number, number][] {
  if (name === 'van-7') return WAY
  const van = coordinator.picture.vans.find((each) => each.van === name)
  const stops = (van?.stop_ids ?? []).map((stop_id) => coordinator.stop(stop_id)).filter((stop) => stop !== undefined)
  const start: [number, number][] = van?.position ? [[van.position.lon_deg, van.position.lat_deg]] : []
  return [...start, ...stops.map((stop): [number, number] => [stop.lon_deg, stop.lat_deg])]
}

function json(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(content))
}

function picture(response: ServerResponse, svg: string): void {
  response.writeHead(svg ? 200 : 404, { 'content-type': 'image/svg+xml' })
  response.end(svg)
}

function stream(coordinator: CannedCoordinator, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const stop = coordinator.watch((event, content) => response.write(`event: ${event}\ndata: ${JSON.stringify(content)}\n\n`))
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
  for await (const piece of request) parts.push(piece as Buffer)
  return Buffer.concat(parts)
}
