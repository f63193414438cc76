import { expect } from 'chai'
import { createGrpcTransport } from '../../../src/envoy/grpc-js/grpc-js-server.ts'
import { allowing, plainListener } from '../../support/grpc-listener.ts'
import { itBoundsWhatItHolds } from '../../support/transport-bounds.ts'
import { itReportsHealth } from '../../support/transport-health.ts'
import { itListensOnSockets } from '../../support/transport-sockets.ts'
import { field, grpcCall, itCarriesCalls } from '../../support/transport-suite.ts'

describe('envoy/grpc-js/grpc-js-server', () => {
  itCarriesCalls(createGrpcTransport)
  itListensOnSockets(createGrpcTransport)
  itReportsHealth(createGrpcTransport)
  itBoundsWhatItHolds(createGrpcTransport)

  it('serves reflection when asked for', async () => {
    await using transport = await createGrpcTransport(
      { ...plainListener, reflection: true },
      allowing,
      () => {},
    )
    const listServices = field(7, '')
    const response = await grpcCall(
      transport.port,
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      listServices,
    )
    expect(response.toString('latin1')).to.include('envoy.service.auth.v3.Authorization')
  })
})
