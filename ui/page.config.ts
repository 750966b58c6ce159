/** How one page is built: every page is its own Vite build, so all it needs lies under its own folder of `dist/`. */

import { fileURLToPath } from 'node:url'

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin, type UserConfig } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))

export function page(name: 'cab' | 'console', plugins: Plugin[] = []): UserConfig {
  return defineConfig({
    root: `${here}${name}`,
    // Relative addresses: the page works wherever a server puts it.
    base: './',
    publicDir: `${here}public`,
    plugins: [svelte({ configFile: `${here}svelte.config.js` }), ...plugins],
    resolve: { alias: { $kit: `${here}kit` } },
    build: {
      outDir: `${here}dist/${name}`,
      emptyOutDir: true,
      target: 'es2022',
      // MapLibre is one module of 1.1 MB; it is served from the machine itself.
      chunkSizeWarningLimit: 1500,
      // No data: addresses for fonts or scripts, so that the content policy can stay strict.
      assetsInlineLimit: 0,
    },
  })
}
