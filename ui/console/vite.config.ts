import { cannedCoordinator } from '../dev/coordinator.ts'
import { page } from '../page.config.ts'

export default page('console', [cannedCoordinator()])
