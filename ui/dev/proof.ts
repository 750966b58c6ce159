/** Stand-ins for a photo and a signature. */

export const DOOR = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 356 306" width="1424" height="1224">
<rect width="356" height="306" fill="#b8ab98"/><rect y="250" width="356" height="56" fill="#77716a"/>
<rect x="85" y="36" width="186" height="222" fill="#8f8473"/><rect x="98" y="49" width="160" height="205" fill="#274a7d"/>
<path d="M178 49v205" stroke="#16305a" stroke-width="4"/>
<g fill="none" stroke="#16305a" stroke-width="5"><path d="M112 64h50v64h-50zM194 64h50v64h-50zM112 146h50v88h-50zM194 146h50v88h-50z"/></g>
<circle cx="188" cy="150" r="5" fill="#d9a843"/><rect x="293" y="78" width="54" height="34" rx="4" fill="#12367f"/>
<text x="320" y="103" font-family="sans-serif" font-weight="600" font-size="22" fill="#fff" text-anchor="middle">294</text>
<path d="M115 218l40-8 38 10v40l-38 8-40-10z" fill="#c08d4e"/><path d="M155 226v42l38-8v-40z" fill="#a57639"/>
<path d="M184 246h70v36h-70z" fill="#c9975a"/><path d="M184 246l12-10h62l-4 10z" fill="#dcae74"/></svg>`

export const SCRAWL = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 118" width="640" height="472">
<rect width="160" height="118" fill="#fff"/><path d="M6 44c10-6 24-2 18 8s-16 8-14 8 18-4 16 8-18 8-22 2M34 62c6-8 14-2 6 6 8 4 14-8 16-10-2 8 0 12
 6 8s8-12 10-10-4 14 4 10 8-14 12-12-8 14 4 10M104 44c-8 10-8 34-12 36M94 56c10-8 22-6 26-8M112 62c-6 8 4 10 8 0 2 8 8 6 10-4 0 8 4 8 8 0 0 10 8 6
 18-2" fill="none" stroke="#10171e" stroke-width="2.6" stroke-linecap="round"/></svg>`
