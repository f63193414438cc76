import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { draftNewService, type NewService } from '../authoring/new-service.ts'
import type { Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import { isInvalid } from '../base/model/invalid.ts'
import { isProblems, type Problems } from '../base/model/problems.ts'
import { type Catalog, parseCatalog } from '../policy/catalog/catalog.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { toPolicyFiles } from '../policy/source/policy-files.ts'
import { collect } from './collect.ts'
import { complainAboutPolicies } from './policy-directory.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type NewOptions = Omit<NewService, 'name'> & {
  readonly policies: string
  readonly dryRun?: true
  readonly json?: true
}

/** Adds `policy new service`. */
export function addPolicyNew(policy: Command, terminal: Terminal, finish: Finish): void {
  policy
    .command('new')
    .description('draft a part of a policy repository')
    .command('service')
    .description(
      'draft a catalog entry and the three patterns, also in a new repository; omitted values are guessed, and permit nothing',
    )
    .argument('<name>', 'the id of `Service::"…"`')
    .requiredOption('--owner <team>', 'the folder whose policies may permit access to it')
    .option('--policies <dir>', 'the policy repository', 'policies')
    .option('--namespace <name>', 'its namespace, for the guesses')
    .option('--trust-domain <name>', 'trust domain of the mesh, if the catalog is empty')
    .option('--spiffe-id <id>', 'SPIFFE ID of the service')
    .option('--address <address>', '`name:port` or `IP:port`; may be repeated', collect)
    .option('--waypoint <id>', 'the proxy that vouches for its callers')
    .option('--entry', 'a chain may begin here')
    .option('--forwards', 'it calls onward')
    .option('--dry-run', 'print the draft and write nothing')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden policy new service price-list --owner insurance-team --namespace hospital',
        '0 drafted, 1 it cannot be',
      ),
    )
    .action(async (name: string, options: NewOptions) => finish(await newService(name, options, terminal)))
}

async function newService(name: string, options: NewOptions, terminal: Terminal): Promise<ExitCode> {
  const { policies: directory, dryRun, json, ...asked } = options
  const repository = await readRepository(directory)
  if (isProblems(repository)) {
    complainAboutPolicies(repository.problems, directory, terminal)
    return exitCodes.negative
  }
  const draft = draftNewService({ name, ...asked }, repository)
  if (isInvalid(draft)) {
    terminal.complain(toLine(draft.reason))
    return exitCodes.negative
  }
  const files = [...draft.files.keys()]
  if (dryRun === undefined) {
    for (const [file, text] of draft.files) {
      await mkdir(dirname(join(directory, file)), { recursive: true })
      await writeFile(join(directory, file), text)
    }
  }
  if (json) {
    terminal.print(JSON.stringify({ written: dryRun === undefined, files, ...draft.added }, undefined, 2))
  } else if (dryRun === undefined) {
    for (const file of files) terminal.print(`wrote ${join(directory, file)}`)
    terminal.print('It permits nothing yet: replace every `change-me`, then run `waywarden policy test`')
  } else {
    for (const part of [draft.added.catalog, draft.added.policies]) {
      for (const line of part.split('\n')) terminal.print(line)
    }
  }
  return exitCodes.ok
}

type Repository = { readonly files: ReadonlyMap<string, string>; readonly catalog: Catalog }

/** Reads the repository; empty if it does not exist yet. Loading it together with the draft shows other problems. */
async function readRepository(directory: string): Promise<Repository | Problems<Problem>> {
  const source = existsSync(directory) ? await readPolicyDirectory(directory) : toPolicyFiles(new Map())
  if (isFailure(source)) return { ...source, kind: 'problems' }
  const text = source.files.get('services.yaml') ?? ''
  const catalog = parseCatalog(text.trim() === '' ? 'services: []' : text)
  return isProblems(catalog) ? catalog : { files: source.files, catalog }
}
