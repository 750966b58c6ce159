import '../kit/tokens.css'
import '../kit/type.css'

import { mount } from 'svelte'

import Console from './Console.svelte'

export default mount(Console, { target: document.getElementById('page') as HTMLElement })
