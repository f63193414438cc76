import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { isProblems } from '../../src/base/model/problems.ts'
import { type Config, parseConfig } from '../../src/config/config.ts'
import { readDocument } from '../../test/support/document.ts'
import { login } from '../../test/support/followed-provider.ts'
import { type RunningApp, startTestApp, writeTestFiles } from '../../test/support/running-app.ts'
import { settings } from '../../test/support/settings.ts'
import { adminPassword, commands, type KeycloakServer } from './server.ts'

const clerkPassword = 'clerk-of-the-trial'
const project = resolve(import.meta.dirname, '..', '..')
const loginEveryMs = 500
const loginsAround = 12

/** Runs the commands of docs/keycloak.md in their order, and logs in twice a second while the signing key changes. */
export async function followGuide(keycloak: KeycloakServer, directory: string): Promise<readonly string[]> {
  const { fences } = readDocument(join(project, 'docs', 'keycloak.md'))
  const scripts = fences.filter(({ language }) => language === 'sh').map(({ text }) => text)
  const [realm = '', client = '', token = '', check = '', ask = '', rotate = ''] = scripts
  if (scripts.length !== 6) return [`docs/keycloak.md: expected 6 scripts, found ${scripts.length}`]
  await writeTestFiles(directory)
  const textOf = (language: string) => fences.find((fence) => fence.language === language)?.text ?? ''
  writeFileSync(join(directory, 'hospital-ui.json'), textOf('json'))
  const file = join(directory, 'waywarden.yaml')
  writeFileSync(file, stringify({ ...parse(settings), ...parse(textOf('yaml')) }))
  const keys = {
    WAYWARDEN__USERS__0__KEYS__URL: `${keycloak.secureUrl}/realms/hospital/protocol/openid-connect/certs`,
    WAYWARDEN__USERS__0__KEYS__CA: keycloak.ca,
  }
  const shell = new Shell(directory, { ...keys, KEYCLOAK: keycloak.url })
  const problems: string[] = []
  const step = async (name: string, script: string, ...wanted: readonly string[]): Promise<void> => {
    const { code, output } = await shell.run(script)
    const missing = wanted.filter((each) => !output.includes(each))
    const isRight = code === 0 && missing.length === 0
    console.log(`${isRight ? '✓' : '✗'} docs/keycloak.md, ${name}`)
    if (!isRight) problems.push(`${name}: exit code ${code}, lacks [${missing.join(', ')}]\n${output}`)
  }
  await step('1. realm, group and user', realm, 'Created new')
  await step('2. client', client, 'Created new client')
  await step('3. token', token, 'provider keycloak', 'audience: hospital-agents', 'clients: [hospital-ui]')
  await step('4. configuration', check, 'the configuration can serve', 'This token can begin a chain.')
  await using running = await startTestApp(directory, () => readConfig(file, keys))
  await using gateway = await startGateway(running)
  shell.set('GATEWAY', gateway.url)
  await step('5. first chain', ask, '200', 'allow')
  const attempts = loginWhile(running, keycloak, step('6. signing key', rotate, 'Created new component'))
  return [...problems, ...(await attempts)]
}

function readConfig(file: string, env: Readonly<Record<string, string>>): Config {
  const config = parseConfig(file, readFileSync(file, 'utf8'), new Map(Object.entries(env)))
  if (isProblems(config)) throw new TypeError(JSON.stringify(config.problems))
  return config
}

/** Logs in twice a second, before, during and after the change; a login is lost if one retry does not win it. */
async function loginWhile(
  running: RunningApp,
  { url }: KeycloakServer,
  change: Promise<void>,
): Promise<readonly string[]> {
  const logins: Promise<Attempt>[] = []
  let remaining = loginsAround
  let isChanged = false
  const changed = change.then(() => {
    isChanged = true
  })
  while (remaining > 0) {
    if (isChanged) remaining--
    logins.push(attempt(running, url))
    await sleep(loginEveryMs)
  }
  await changed
  const attempts = await Promise.all(logins)
  const lost = attempts.filter(({ codes }) => codes.at(-1) !== 'ok')
  const kids = new Set(attempts.map(({ kid }) => kid))
  const retried = attempts.filter(({ codes }) => codes.length > 1).length
  const summary = `${attempts.length} logins, ${kids.size} keys, ${retried} retried, ${lost.length} lost`
  const isRight = lost.length === 0 && kids.size === 2
  console.log(`${isRight ? '✓' : '✗'} a change of the signing key at two logins a second: ${summary}`)
  return isRight ? [] : [`rotation: ${summary}: ${JSON.stringify(lost)}`]
}

type Attempt = { readonly kid: string; readonly codes: readonly unknown[] }

async function attempt(running: RunningApp, url: string): Promise<Attempt> {
  const answer = await fetch(`${url}/realms/hospital/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'password',
      client_id: 'hospital-ui',
      username: 'clerk',
      password: clerkPassword,
    }),
  })
  const { access_token: token } = JSON.parse(await answer.text())
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0], 'base64url').toString())
  const first = await login(running, token)
  if (first.code !== 'token_key_unknown') return { kid, codes: [first.code] }
  await sleep(Number(first.retryAfter) * 1000)
  return { kid, codes: [first.code, (await login(running, token)).code] }
}

/** Plays gateway and waypoint: asks Waywarden about each request, and answers with its verdict. */
async function startGateway(running: RunningApp): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(async ({ headers }, response) => {
    const { code, httpStatus } = await login(running, headers.authorization?.replace(/^Bearer /, '') ?? '')
    response.writeHead(code === 'ok' ? 200 : (httpStatus ?? 403)).end(String(code))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

/** Runs scripts in one directory, with the commands of the page. */
class Shell {
  readonly #directory: string
  readonly #env: Record<string, string | undefined>

  constructor(directory: string, env: Readonly<Record<string, string>>) {
    const bin = join(directory, 'bin')
    mkdirSync(bin)
    const waywarden = join(bin, 'waywarden')
    const tsx = join(project, 'node_modules', '.bin', 'tsx')
    writeFileSync(waywarden, `#!/bin/sh\nexec ${tsx} ${join(project, 'src', 'main.ts')} "$@"\n`)
    chmodSync(waywarden, 0o755)
    this.#directory = directory
    this.#env = {
      ...process.env,
      ...env,
      PATH: `${bin}:${commands}:${process.env['PATH']}`,
      // kcadm.sh keeps its session there, in `.keycloak`.
      HOME: directory,
      JAVA_TOOL_OPTIONS: `-Duser.home=${directory}`,
      KEYCLOAK_ADMIN_PASSWORD: adminPassword,
      CLERK_PASSWORD: clerkPassword,
    }
  }

  set(name: string, value: string): void {
    this.#env[name] = value
  }

  async run(script: string): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: this.#directory, env: this.#env })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
    const [code] = await once(child, 'close')
    return { code, output }
  }
}
