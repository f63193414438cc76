import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { createAcceptor } from '../../src/envoy/acceptor.ts'
import { TransportError } from '../../src/envoy/transport.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const loopback = { address: '127.0.0.1', port: 0 }

describe('envoy/acceptor', () => {
  it('accepts, and leaves every byte to the receiver of the connection', async () => {
    let accept = (_socket: Socket): void => {}
    const accepted = new Promise<Socket>((resolve) => {
      accept = resolve
    })
    await using acceptor = await createAcceptor(loopback, (socket) => accept(socket))
    const client = connect(acceptor.port, '127.0.0.1')
    client.write('first')
    const socket = await accepted
    expect(socket.bytesRead).to.equal(0)
    socket.resume()
    expect(String(await once(socket, 'data'))).to.equal('first')
    socket.destroy()
  })

  it('makes the file of a Unix socket as it shall be, and takes it away', async () => {
    const path = join(temporaryDirectory(), 'ext-authz.sock')
    const acceptor = await createAcceptor({ path, mode: 0o660 }, (socket) => socket.destroy())
    expect(acceptor.address).to.equal(`unix://${path}`)
    expect(statSync(path).mode & 0o777).to.equal(0o660)
    await once(connect(path), 'close')
    await acceptor[Symbol.asyncDispose]()
    expect(existsSync(path)).to.equal(false)
  })

  it('names the fault when the port is taken', async () => {
    await using first = await createAcceptor(loopback, () => {})
    const fault = await createAcceptor({ ...loopback, port: first.port }, () => {}).catch(
      (cause: unknown) => cause,
    )
    expect(fault).to.be.instanceOf(TransportError)
  })
})
