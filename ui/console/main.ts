import '../kit/tokens.css'
import '../kit/type.css'

import { mount } from 'svelte'

import App from './App.svelte'
import { language } from './words.ts'

document.documentElement.lang = language

export default mount(App, { target: document.getElementById('page') as HTMLElement })
