import type { Command } from 'commander'
import { type CheckedRepository, checkRepository } from '../authoring/tests/own-tests.ts'
import { formatProblem, limitProblems, type Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import { isProblems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import type { Revision } from '../policy/revision/revision.ts'
import { type UnknownName, unknownNames } from '../policy/rules/unknown-names.ts'
import { unknownSubjects } from '../policy/rules/unknown-subjects.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { complainAboutConfig, readConfigFile } from './config-file.ts'
import { addPolicyDiff } from './policy-diff.ts'
import { complainAboutPolicies } from './policy-directory.ts'
import { addPolicyExplain } from './policy-explain.ts'
import { addPolicyLint } from './policy-lint.ts'
import { addPolicyNew } from './policy-new.ts'
import { addPolicyRollback } from './policy-rollback.ts'
import { addPolicyTest } from './policy-test.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

/** Adds the commands about policy repositories. */
export function addPolicy(program: Command, terminal: Terminal, finish: Finish): void {
  const policy = program.command('policy').description('check, test and explain policies')
  policy
    .command('check')
    .description('check whether a policy repository can serve, and warn of unknown names')
    .argument('<dir>', 'the directory with services.yaml')
    .option('-c, --config <file>', 'waywarden.yaml, to warn of users and groups that no token can contain')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden policy check ./policies -c waywarden.yaml',
        '0 it can serve, 1 it cannot, 78 the configuration cannot',
      ),
    )
    .action(async (directory: string, options: CheckOptions) =>
      finish(await check(directory, options, terminal)),
    )
  addPolicyDiff(policy, terminal, finish)
  addPolicyExplain(policy, terminal, finish)
  addPolicyLint(policy, terminal, finish)
  addPolicyNew(policy, terminal, finish)
  addPolicyRollback(policy, terminal, finish)
  addPolicyTest(policy, terminal, finish)
}

type CheckOptions = { readonly config?: string; readonly json?: true }

async function check(
  directory: string,
  { config: file, json }: CheckOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const config = file === undefined ? undefined : await readConfigFile(file)
  if (config !== undefined && isProblems(config)) {
    complainAboutConfig(config, terminal)
    return exitCodes.config
  }
  const source = await readPolicyDirectory(directory)
  const checked = isFailure(source) ? source : checkRepository(source)
  const problems = isFailure(checked) ? checked.problems : []
  const warnings = isFailure(checked) ? [] : warningsOf(checked.revision, config)
  if (json) {
    const counts = isFailure(checked) ? {} : toCounts(checked)
    terminal.print(JSON.stringify({ ok: problems.length === 0, ...counts, problems, warnings }, undefined, 2))
  } else if (!isFailure(checked)) {
    for (const warning of warnings) terminal.complain(toLine(`warning: ${formatProblem(warning)}`))
    const { policies, services, tests, revision } = toCounts(checked)
    terminal.print(
      `${directory}: ${policies} policies, ${services} services, ${tests} tests, revision ${revision}`,
    )
  } else {
    complainAboutPolicies(problems, directory, terminal)
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.negative
}

function warningsOf(revision: Revision, config: Config | undefined): readonly Problem[] {
  const strangers = config === undefined ? [] : unknownSubjects(revision.subjects, config.users)
  return limitProblems([...unknownNames(revision).map(toProblem), ...strangers])
}

function toProblem({ policy: _, ...problem }: UnknownName): Problem {
  return problem
}

function toCounts({ revision: { id, policies, catalog }, tests }: CheckedRepository): {
  policies: number
  services: number
  tests: number
  revision: string
} {
  return { policies: policies.length, services: catalog.services.length, tests, revision: id }
}
