import type { Command } from 'commander'
import { readPolicyDirectory } from '../revision/directory-source.ts'
import { loadRevision } from '../revision/load.ts'
import { formatProblem } from '../revision/problem.ts'
import type { Revision } from '../revision/revision.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal } from './terminal.ts'

/** Adds `policy check`. */
export function addPolicy(program: Command, terminal: Terminal, finish: Finish): void {
  const policy = program.command('policy').description('look at a policy repository')
  policy
    .command('check')
    .description('find everything that keeps a policy repository from serving')
    .argument('<dir>', 'the directory with services.yaml')
    .option('--json', 'print one JSON object')
    .addHelpText('after', helpFooter('waywarden policy check ./policies', '0 it can serve, 1 it cannot'))
    .action(async (directory: string, options: CheckOptions) =>
      finish(await check(directory, options, terminal)),
    )
}

type CheckOptions = { readonly json?: true }

async function check(directory: string, { json }: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const source = await readPolicyDirectory(directory)
  const loaded = 'files' in source ? loadRevision(source) : source
  const problems = 'evaluate' in loaded ? [] : loaded
  if (json) {
    const counts = 'evaluate' in loaded ? toCounts(loaded) : {}
    terminal.print(JSON.stringify({ ok: problems.length === 0, ...counts, problems }, undefined, 2))
  } else if ('evaluate' in loaded) {
    const { policies, services, revision } = toCounts(loaded)
    terminal.print(`${directory}: ${policies} policies, ${services} services, revision ${revision}`)
  } else {
    for (const problem of problems) terminal.complain(formatProblem(problem))
    terminal.complain(
      `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in \`${directory}\`; it would not be served`,
    )
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.negative
}

function toCounts({ policies, catalog, id }: Revision): {
  policies: number
  services: number
  revision: string
} {
  return { policies: policies.length, services: catalog.services.length, revision: id }
}
