import type { Command } from 'commander'
import { checkRepository } from '../authoring/tests/own-tests.ts'
import type { Problem } from '../base/document/problem.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import { type PinChange, pinInGit, releaseInGit } from '../policy/source/git-pin.ts'
import { type PolicyFiles, withoutTests } from '../policy/source/policy-files.ts'
import { complainAboutConfig, defaultConfigFile, readConfigFile } from './config-file.ts'
import { pinDirectory, releaseDirectory } from './directory-pin.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal } from './terminal.ts'

type RollbackOptions = { readonly config: string; readonly release?: true; readonly json?: true }

/** Adds `policy rollback`. */
export function addPolicyRollback(policy: Command, terminal: Terminal, finish: Finish): void {
  const codes = '0 done, 1 refused, 78 the configuration cannot serve'
  policy
    .command('rollback')
    .description('pin an earlier policy revision for every replica, until `--release`')
    .argument(
      '[revision]',
      'a commit, or the id of a revision served from a directory; by default the newest earlier one that can serve',
    )
    .option('-c, --config <file>', 'the configuration with the policy source', defaultConfigFile)
    .option('--release', 'follow the source again')
    .option('--json', 'print one JSON object')
    .addHelpText('after', helpFooter('waywarden policy rollback 3f2a91c -c waywarden.yaml', codes))
    .action(async (revision: string | undefined, options: RollbackOptions) =>
      finish(await rollback(revision, options, terminal)),
    )
}

async function rollback(
  revision: string | undefined,
  { config: file, release, json }: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const config = await readConfigFile(file)
  if (isProblems(config)) {
    complainAboutConfig(config, terminal)
    return exitCodes.config
  }
  const changed = release === true ? await releasePin(revision, config) : await setPin(revision, config)
  if (isInvalid(changed)) {
    terminal.complain(`waywarden: ${changed.reason}`)
    return exitCodes.negative
  }
  const { kind, commit, was, passedOver = [] } = changed
  for (const refused of passedOver) terminal.complain(`skipped ${refused}`)
  if (json) terminal.print(JSON.stringify({ kind, revision: commit, was }, undefined, 2))
  else if (kind === 'released') terminal.print(`released: the source is followed again, now at ${commit}`)
  else terminal.print(`pinned to ${commit}, until \`waywarden policy rollback --release -c ${file}\``)
  return exitCodes.ok
}

async function setPin(revision: string | undefined, { policy, audit }: Config): Promise<PinChange | Invalid> {
  if (revision !== undefined && !/^[0-9a-f]{7,64}$/.test(revision))
    return invalid(`expected 7 to 64 digits of a revision's id, found \`${revision}\``)
  if (policy.git !== undefined) {
    const needsTests = policy.tests === 'required'
    return pinInGit(policy.git, revision, (source) => problemsOf(needsTests ? source : withoutTests(source)))
  }
  return pinDirectory(policy.directory ?? '', audit.directory, revision)
}

function problemsOf(source: PolicyFiles): readonly Problem[] {
  const checked = checkRepository(source)
  return isProblems(checked) ? checked.problems : []
}

async function releasePin(revision: string | undefined, { policy }: Config): Promise<PinChange | Invalid> {
  if (revision !== undefined) return invalid('`--release` takes no revision')
  return policy.git === undefined ? releaseDirectory(policy.directory ?? '') : releaseInGit(policy.git)
}
