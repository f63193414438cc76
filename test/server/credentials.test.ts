import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.ts'
import { readJwks, readKey } from '../support/forge.ts'
import { uris } from '../support/hospital.ts'
import { type RunningApp, startTestApp, tokenNow, writeTestFiles } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const [rsa] = JSON.parse(readJwks('hospital-idp')).keys
const [other] = JSON.parse(readJwks('partner-idp')).keys
const ed448 = { ...other, kid: 'ed448', crv: 'Ed448' }
const withoutKid = { ...other, kid: undefined }
const exposed = JSON.parse(readKey('hospital-idp'))

/** Starts with these keys of the identity provider. */
async function startWith(
  keys: readonly unknown[],
  overlay: Partial<Config['users'][number]> = {},
): Promise<RunningApp> {
  const directory = temporaryDirectory()
  await writeTestFiles(directory)
  const file = join(directory, 'hospital-jwks.json')
  await publish(directory, keys)
  const change = (config: Config): Config => ({
    ...config,
    users: config.users.map((user) => ({
      ...user,
      keySource: { kind: 'file', path: file, key: 'jwks' },
      ...overlay,
    })),
  })
  return startTestApp(directory, change, 20)
}

async function publish(directory: string, keys: readonly unknown[]): Promise<void> {
  await writeFile(join(directory, 'hospital-jwks.json'), JSON.stringify({ keys }))
}

async function noticesOf({ app }: RunningApp): Promise<readonly string[]> {
  return JSON.parse(await (await fetch(`http://${app.addresses.admin}/readyz`)).text()).notices
}

async function loginOf(running: RunningApp): Promise<unknown> {
  const { kind, body } = await running.ask({
    method: 'POST',
    path: '/tasks',
    destinationAddress: '10.96.0.4:8080',
    peer: uris.gateway,
    headers: { authorization: `Bearer ${tokenNow()}` },
  })
  return kind === 'ok' ? 'ok' : body?.['code']
}

describe('server/credentials', () => {
  it('starts with the keys that it can use, and names the others', async () => {
    await using running = await startWith([ed448, rsa, withoutKid, { ...rsa, kid: 'enc', use: 'enc' }])
    expect(await loginOf(running)).to.equal('ok')
    const notices = await noticesOf(running)
    expect(notices).to.have.length(2)
    expect(notices[0]).to.include('users `hospital`').and.to.include('`ed448`').and.to.include('`Ed448`')
    expect(notices[1]).to.include('key 3').and.to.include('`kid`')
  })

  it('does not start without a key that it can use, and names all of them', async () => {
    const error = await startWith([ed448, withoutKid]).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).to.have.property('code', 'start_failed')
    expect(error)
      .to.have.nested.property('problems[0]')
      .that.includes('hospital-jwks.json')
      .and.includes('`ed448`')
  })

  it('keeps the last good set when the next has no key that it can use', async () => {
    await using running = await startWith([rsa])
    for (const keys of [[], [ed448]]) {
      await publish(running.directory, keys)
      await until(async () => (await noticesOf(running)).join().includes('not in force'))
      expect(await loginOf(running)).to.equal('ok')
      await publish(running.directory, [rsa])
      await until(async () => (await noticesOf(running)).length === 0)
    }
  })

  it('takes the good keys of the next set, and names the bad one, without a restart', async () => {
    await using running = await startWith([other])
    expect(await loginOf(running)).to.equal('token_invalid')
    await publish(running.directory, [withoutKid, rsa])
    await until(async () => (await loginOf(running)) === 'ok')
    expect(await noticesOf(running)).to.have.length(1)
  })

  it('believes a key no more once its private half is published, with or without another key', async () => {
    for (const beside of [[], [other]]) {
      await using running = await startWith([rsa])
      expect(await loginOf(running)).to.equal('ok')
      await publish(running.directory, [exposed, ...beside])
      await until(async () => (await loginOf(running)) === 'token_invalid')
      expect((await noticesOf(running)).join())
        .to.include('private half')
        .and.to.include('`hospital-1`')
    }
  })

  it('says at the door what the configuration leaves open', async () => {
    await using running = await startWith([rsa], { clients: 'any', id: 'preferred_username' })
    const notices = await noticesOf(running)
    expect(notices).to.have.length(2)
    expect(notices[0]).to.include('`clients: any`').and.to.include('exchanged cannot be told from')
    expect(notices[1]).to.include('`id: preferred_username`')
  })
})

/** Waits for what comes about by itself; the runner's own time limit ends a wait in vain. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}
