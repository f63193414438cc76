// Follows docs/keycloak.md with a real Keycloak, and asks it for tokens of users and of clients: `npm run test:identities`. It
// needs Java, Maven, curl and jq, fetches Keycloak once (600 MB in .tools/keycloak), and runs it on loopback with its data in
// memory.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Processes } from '../demo/processes.ts'
import { compareAnswers } from './keycloak/answers.ts'
import { followGuide } from './keycloak/guide.ts'
import { Keycloak } from './keycloak/keycloak.ts'
import { realm } from './keycloak/realm.ts'
import { startKeycloak } from './keycloak/server.ts'

process.exitCode = await main()

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'waywarden-identities-'))
  try {
    await using processes = new Processes(directory)
    const server = await startKeycloak(processes)
    const problems = [...(await followGuide(server, directory))]
    const keycloak = await Keycloak.open(server.url)
    await keycloak.replaceRealm(realm)
    problems.push(...(await compareAnswers(keycloak)))
    for (const problem of problems) console.log(`✗ ${problem}`)
    return problems.length === 0 ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
