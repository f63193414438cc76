import { fileURLToPath } from 'node:url'
import type { Server } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'

/** Lets tools such as grpcurl list the server's methods. For trying things out; off by default. */
export function addReflection(server: Server): void {
  const directory = fileURLToPath(new URL('../../../proto/', import.meta.url))
  const definitions = loadSync('envoy/service/auth/v3/external_auth.proto', { includeDirs: [directory] })
  new ReflectionService(definitions).addToServer(server)
}
