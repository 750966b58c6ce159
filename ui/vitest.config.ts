import { fileURLToPath } from 'node:url'

import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $kit: fileURLToPath(new URL('kit', import.meta.url)) } },
  test: { include: ['{kit,cab,console}/**/*.test.ts'], environment: 'node' },
})
