import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { isInvalid } from '../model/invalid.ts'
import { draftNewService, type NewService } from '../review/new-service.ts'
import { collect } from './collect.ts'
import { complainAboutPolicies, loadDirectory } from './policy-directory.ts'
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
      'draft a catalog entry and the three patterns; what is not given is guessed, and permits nobody',
    )
    .argument('<name>', 'the id of `Service::"…"`')
    .requiredOption('--owner <team>', 'the folder whose policies may permit anything on it')
    .option('--policies <dir>', 'the policy repository', 'policies')
    .option('--namespace <name>', 'where it runs, for the guesses')
    .option('--spiffe-id <id>', 'who receives')
    .option('--address <address>', '`name:port` or `IP:port`; again for each', collect)
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
  const revision = await loadDirectory(directory)
  if (!('evaluate' in revision)) {
    complainAboutPolicies(revision, directory, terminal)
    return exitCodes.negative
  }
  const draft = draftNewService({ name, ...asked }, revision)
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
    terminal.print('It permits nobody yet: replace every `change-me`, then `waywarden policy test`')
  } else {
    for (const part of [draft.added.catalog, draft.added.policies]) {
      for (const line of part.split('\n')) terminal.print(line)
    }
  }
  return exitCodes.ok
}
