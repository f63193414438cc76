import type { Server } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'

const services = ['', 'envoy.service.auth.v3.Authorization']

/** Adds `grpc.health.v1.Health` to a server, `NOT_SERVING` at first. The result sets the status. */
export function addHealth(server: Server): (isServing: boolean) => void {
  const health = new HealthImplementation(
    Object.fromEntries(services.map((service) => [service, 'NOT_SERVING'])),
  )
  health.addToServer(server)
  return (isServing) => {
    for (const service of services) health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING')
  }
}
