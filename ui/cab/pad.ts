/** A signature as strokes, in fractions of the pad: it outlives the canvas it was drawn on. */

export type Point = [x: number, y: number]
export type Strokes = Point[][]

/** Draw smooth strokes on a pad of this size. */
export function drawStrokes(context: CanvasRenderingContext2D, strokes: Strokes, width_px: number, height_px: number): void {
  context.lineCap = 'round'
  context.lineJoin = 'round'
  context.lineWidth = Math.max(2, height_px * 0.024)
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]): Point => [x * width_px, y * height_px])
    const [first, ...rest] = points
    if (!first) continue
    context.beginPath()
    context.moveTo(...first)
    if (!rest.length) context.lineTo(first[0] + 0.1, first[1]) // a dot is drawn too
    rest.forEach((point, i) => {
      const after = rest[i + 1]
      const end: Point = after ? [(point[0] + after[0]) / 2, (point[1] + after[1]) / 2] : point
      context.quadraticCurveTo(...point, ...end)
    })
    context.stroke()
  }
}

/** Enough ink to be meant: a touch by accident is no signature. */
export function isSigned(strokes: Strokes): boolean {
  const length = strokes.flatMap((stroke) =>
    stroke.slice(1).map((point, i) => Math.hypot(point[0] - (stroke[i] as Point)[0], point[1] - (stroke[i] as Point)[1])),
  )
  return length.reduce((sum, part) => sum + part, 0) > 0.08
}

/** The signature as it is kept: PNG, dark on white whatever the screen's theme. */
export function toPng(strokes: Strokes, width_px: number, height_px: number, ink: string, paper: string): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = width_px
  canvas.height = height_px
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = paper
  context.fillRect(0, 0, width_px, height_px)
  context.strokeStyle = ink
  drawStrokes(context, strokes, width_px, height_px)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the browser made no PNG of the signature'))), 'image/png'),
  )
}
