import { Client, credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import { expect } from 'chai'
import { createActorChain, runWithChain } from '../../agents/node/actor-chain.js'

const { grpcInterceptor, metadataFor } = createActorChain({ allow: ['127.0.0.1', 'insurance.svc:8080'] })
const path = '/hospital.Insurance/Coverage'

describe('agents/node/grpc', () => {
  const targets: readonly (readonly [target: string, want: readonly string[]])[] = [
    ['insurance.svc:8080', ['clerk']],
    ['dns:///insurance.svc:8080', ['clerk']],
    ['dns:insurance.svc:8080', ['clerk']],
    ['insurance.svc', []],
    ['insurance.svc:8080,a.com:8080', []],
    ['unix:/tmp/insurance.svc:8080', []],
    ['xds:///insurance.svc:8080', []],
    ['a.com:8080', []],
  ]
  for (const [target, want] of targets) {
    it(`${want.length === 0 ? 'keeps the chain from' : 'sends the chain to'} the target ${target}`, () => {
      const shared = new Metadata()
      shared.set('actor-chain', 'old')
      const own = runWithChain('clerk', () => metadataFor(target, shared))
      expect(own.get('actor-chain')).to.deep.equal(want)
      expect(shared.get('actor-chain')).to.deep.equal(['old'])
    })
  }

  it('sends the chain of each caller over one channel', async () => {
    const server = new Server()
    server.addService(service, {
      coverage: (call: { metadata: Metadata }, done: (error: null, answer: string) => void) =>
        done(null, call.metadata.get('actor-chain').join()),
    })
    const port = await new Promise<number>((resolve, reject) => {
      const loopback = ServerCredentials.createInsecure()
      server.bindAsync('127.0.0.1:0', loopback, (error, bound) => (error ? reject(error) : resolve(bound)))
    })
    const target = `127.0.0.1:${port}`
    const client = new Client(target, credentials.createInsecure(), {
      interceptors: [grpcInterceptor(target)],
    })
    try {
      const users = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'clerk' : 'clinician'))
      const answers = await Promise.all(users.map((user) => runWithChain(user, () => coverage(client))))
      expect(answers).to.deep.equal(users)
    } finally {
      client.close()
      server.forceShutdown()
    }
  })
})

const toBytes = (text: string) => Buffer.from(text)
const fromBytes = (bytes: Buffer) => bytes.toString()
const service = {
  coverage: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: fromBytes,
    responseSerialize: toBytes,
    responseDeserialize: fromBytes,
  },
}

function coverage(client: Client): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, toBytes, fromBytes, 'p-7', (error, answer) =>
      error ? reject(error) : resolve(answer),
    )
  })
}
