import { cannedAgent } from '../dev/server.ts'
import { page } from '../page.config.ts'

export default page('cab', [cannedAgent()])
