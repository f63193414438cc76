import type { Command } from 'commander'
import { lint } from '../authoring/lint.ts'
import type { Finding } from '../authoring/lint-finding.ts'
import { isProblems } from '../base/model/problems.ts'
import { complainAboutPolicies, loadDirectory } from './policy-directory.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type LintOptions = { readonly json?: true }

/** Adds `policy lint`. */
export function addPolicyLint(policy: Command, terminal: Terminal, finish: Finish): void {
  policy
    .command('lint')
    .description('find valid policies that are probably mistakes')
    .argument('<dir>', 'the directory with services.yaml')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      helpFooter('waywarden policy lint ./policies', '0 nothing found, 1 something found'),
    )
    .action(async (directory: string, options: LintOptions) =>
      finish(await lintCommand(directory, options, terminal)),
    )
}

async function lintCommand(directory: string, { json }: LintOptions, terminal: Terminal): Promise<ExitCode> {
  const revision = await loadDirectory(directory)
  if (isProblems(revision)) {
    if (json)
      terminal.print(JSON.stringify({ ok: false, problems: revision.problems, findings: [] }, undefined, 2))
    else complainAboutPolicies(revision.problems, directory, terminal)
    return exitCodes.negative
  }
  const findings = lint(revision)
  if (json)
    terminal.print(JSON.stringify({ ok: findings.length === 0, problems: [], findings }, undefined, 2))
  else {
    for (const finding of findings) terminal.print(toLine(formatFinding(finding)))
    terminal.print(findings.length === 0 ? `${directory}: nothing found` : `${findings.length} found`)
  }
  return findings.length === 0 ? exitCodes.ok : exitCodes.negative
}

function formatFinding({ rule, file, line, message }: Finding): string {
  return `${file}:${line}: ${rule}: ${message}`
}
