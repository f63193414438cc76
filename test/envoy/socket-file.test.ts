import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { listenOnSocketFile } from '../../src/envoy/socket-file.ts'
import { TransportError } from '../../src/envoy/transport.ts'
import { failCallsUnder } from '../support/failing-calls.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe('envoy/socket-file', () => {
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  const listen = (path: string, seen: (path: string) => void = () => {}): Promise<() => Promise<void>> =>
    listenOnSocketFile({ path, mode: 0o600 }, (at) => {
      const server = createServer((socket) => socket.on('error', () => {}).end('here'))
      servers.push(server)
      return new Promise((resolve) =>
        server.listen(at, () => {
          seen(at)
          resolve(undefined)
        }),
      )
    })
  const refusalOf = async (path: string): Promise<string> => {
    const error: unknown = await listen(path).catch((cause: unknown) => cause)
    expect(error).to.be.instanceOf(TransportError)
    return String(error)
  }

  it('can be reached under its path, alone in its directory', async () => {
    const path = join(temporaryDirectory(), 's.sock')
    await listen(path)
    expect(await hear(path)).to.equal('here')
    expect(readdirSync(dirname(path))).to.deep.equal(['s.sock'])
    expect(statSync(path).mode & 0o777).to.equal(0o600)
  })

  it('is made where nobody else can enter', async () => {
    const modes: number[] = []
    await listen(join(temporaryDirectory(), 's.sock'), (at) => modes.push(statSync(dirname(at)).mode & 0o777))
    expect(modes).to.deep.equal([0o700])
  })

  it('takes the place of a socket that its process has left behind', async () => {
    const path = join(temporaryDirectory(), 's.sock')
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    expect(() => execFileSync(process.execPath, ['-e', script])).to.throw()
    expect(lstatSync(path).isSocket()).to.equal(true)
    await listen(path)
    expect(await hear(path)).to.equal('here')
  })

  it('takes no path that it cannot look at for a free one, nor removes what it cannot look at', async () => {
    const path = join(temporaryDirectory(), 's.sock')
    const remove = await listen(path)
    using failing = failCallsUnder(dirname(path))
    failing.failAll('EIO', /s\.sock$/)
    await refusalOf(path)
    await remove()
    failing.arm()
    expect(await hear(path)).to.equal('here')
    expect(readdirSync(dirname(path))).to.deep.equal(['s.sock'])
  })

  it('leaves a socket alone on which somebody answers', async () => {
    const path = join(temporaryDirectory(), 's.sock')
    await listen(path)
    expect(await refusalOf(path)).to.include('another process listens')
    expect(readdirSync(dirname(path))).to.deep.equal(['s.sock'])
  })

  for (const { name, make } of [
    { name: 'a file', make: (path: string) => writeFileSync(path, 'evidence') },
    { name: 'a link', make: (path: string) => symlinkSync('/dev/null', path) },
  ]) {
    it(`leaves ${name} alone`, async () => {
      const path = join(temporaryDirectory(), 's.sock')
      make(path)
      expect(await refusalOf(path)).to.include('is no socket')
      expect(lstatSync(path).isSocket()).to.equal(false)
    })
  }

  it('says which directory is missing', async () => {
    expect(await refusalOf(join(temporaryDirectory(), 'run/s.sock'))).to.match(
      /expected `.*\/run` to be a directory/,
    )
  })

  it('leaves nothing behind when it cannot listen', async () => {
    const directory = temporaryDirectory()
    const broken = listenOnSocketFile({ path: join(directory, 's.sock'), mode: 0o600 }, () =>
      Promise.reject(new Error('broken')),
    )
    expect(await broken.catch(String)).to.equal('Error: broken')
    expect(readdirSync(directory)).to.deep.equal([])
  })

  it('is taken away again, unless it is another one by then', async () => {
    const path = join(temporaryDirectory(), 's.sock')
    const release = await listen(path)
    servers.splice(0).map((server) => server.close())
    const releaseNext = await listen(path)
    await release()
    expect(await hear(path)).to.equal('here')
    await releaseNext()
    expect(existsSync(path)).to.equal(false)
  })
})

function hear(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path).on('error', reject)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
  })
}
