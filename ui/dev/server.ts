import type { Plugin } from 'vite'

export function cannedAgent(): Plugin {
  return { name: 'canned-agent' }
}
