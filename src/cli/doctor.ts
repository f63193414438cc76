import type { Command } from 'commander'
import type { KubeObject } from '../base/document/kube-object.ts'
import { parseKubectlOutput } from '../base/document/kubectl-output.ts'
import { formatProblem } from '../base/document/problem.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { isProblems } from '../base/model/problems.ts'
import type { Config } from '../config/config.ts'
import { dnsFindings } from '../doctor/addresses.ts'
import { toClusterView } from '../doctor/cluster/view.ts'
import { bySeverity, examineCluster } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'
import { probeFindings } from '../doctor/probe.ts'
import { replicaFindings, userKeyFindings } from '../doctor/replicas.ts'
import type { Catalog } from '../policy/catalog/catalog.ts'
import { complainAboutConfig } from './config-file.ts'
import { sendProbe } from './doctor-probe.ts'
import { findCatalog, findConfig } from './doctor-setup.ts'
import { kubectlCommand, readReplicas, readUserKeys, resolveNames, runKubectl } from './doctor-sources.ts'
import { formatReport, type Report } from './doctor-text.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

type DoctorOptions = {
  readonly config?: string
  readonly policies?: string
  readonly kubectl?: string
  readonly admin?: readonly string[]
  readonly dns?: true
  readonly probe?: string
  readonly json?: true
}

/** Adds `doctor`. */
export function addDoctor(program: Command, terminal: Terminal, finish: Finish): void {
  const codes = '0 healthy (warnings are possible), 1 problems found, 78 the given configuration cannot serve'
  program
    .command('doctor')
    .description('find problems in the setup of the mesh for Waywarden, with remedies')
    .option('-c, --config <file>', "the configuration (default: the cluster's ConfigMap)")
    .option('--policies <dir>', 'the policy repository with services.yaml (default: the configured one)')
    .option('--kubectl <file>', 'output of kubectl, `-` for stdin (default: runs kubectl, read-only)')
    .option('--admin <url...>', "replicas' admin ports: readiness, keys and clocks are compared")
    .option('--dns', "resolve the catalog's names here, as Waywarden would")
    .option(
      '--probe <url>',
      'send GET requests with forged headers through a waypoint; run it inside a workload',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nReads, and never writes:\n  $ ${kubectlCommand}\n${helpFooter('waywarden doctor --admin http://127.0.0.1:9192', codes)}`,
    )
    .action(async (options: DoctorOptions) => finish(await doctor(options, terminal)))
}

async function doctor(options: DoctorOptions, terminal: Terminal): Promise<ExitCode> {
  const badUrl = [...(options.admin ?? []), ...(options.probe === undefined ? [] : [options.probe])].find(
    (url) => !URL.canParse(url) || new URL(url).protocol !== 'http:',
  )
  if (badUrl !== undefined) return refuse(`expected an http URL, found \`${badUrl}\``, terminal)
  const objects = await readObjects(options, terminal)
  if (isInvalid(objects)) return refuse(objects.reason, terminal)
  const config = await findConfig(options.config, objects)
  if (config !== undefined && isProblems(config)) {
    complainAboutConfig(config, terminal)
    return exitCodes.config
  }
  const catalog = await findCatalog(options, config, objects)
  if (catalog !== undefined && isProblems(catalog)) {
    for (const problem of catalog.problems) terminal.complain(formatProblem(problem))
    return exitCodes.negative
  }
  const findings = bySeverity(await examine(options, { objects, config, catalog }, terminal))
  print({ findings, notes: notesOf(options, { objects, config, catalog }) }, options.json, terminal)
  return findings.some(({ severity }) => severity === 'error') ? exitCodes.negative : exitCodes.ok
}

type Known = {
  /** `undefined`: the cluster was not read. */
  readonly objects: readonly KubeObject[] | undefined
  readonly config: Config | undefined
  readonly catalog: Catalog | undefined
}

async function examine(
  { config: file, admin, dns, probe }: DoctorOptions,
  { objects, config, catalog }: Known,
  terminal: Terminal,
): Promise<readonly Finding[]> {
  return [
    ...(objects === undefined
      ? []
      : examineCluster(toClusterView(objects), config && asOf(config, terminal.nowMs()), catalog)),
    ...(file === undefined ? [] : userKeyFindings(await readUserKeys(config?.users ?? []))),
    ...(dns ? dnsFindings(await resolveNames(catalog?.services ?? [])) : []),
    ...replicaFindings(await readReplicas(admin ?? [], terminal.nowMs)),
    ...(probe === undefined ? [] : probeFindings(await sendProbe(probe, config, catalog))),
  ]
}

/** Drops `observe` after its end. */
function asOf(config: Config, nowMs: number): Config {
  const isOver = config.observe !== undefined && config.observe.untilMs <= nowMs
  return isOver ? { ...config, observe: undefined } : config
}

/** Returns the cluster's objects; `undefined` if the cluster is not to be read; or how to get them. */
async function readObjects(
  { kubectl, admin, probe }: DoctorOptions,
  terminal: Terminal,
): Promise<readonly KubeObject[] | Invalid | undefined> {
  // A probe runs inside a workload, and tests only this path.
  if (kubectl === undefined && probe !== undefined) return undefined
  const output = await runKubectl(kubectl, terminal)
  if (isInvalid(output)) {
    if (kubectl === undefined && admin !== undefined) return undefined
    return invalid(
      `${output.reason}\nrun this with access to the cluster, and pass its output to \`--kubectl\`:\n  ${kubectlCommand}`,
    )
  }
  const objects = parseKubectlOutput(output.text)
  if (!isInvalid(objects)) return objects
  return invalid(
    `\`${kubectl ?? 'kubectl'}\`: ${objects.reason}\nthis command prints the expected input:\n  ${kubectlCommand}`,
  )
}

function notesOf(options: DoctorOptions, { objects, config, catalog }: Known): readonly string[] {
  const { admin, probe } = options
  if (probe !== undefined && objects === undefined) return []
  return [
    ...(objects === undefined
      ? ['the cluster: kubectl cannot reach it; pass its output to `--kubectl`']
      : []),
    ...(config === undefined ? ['waywarden.yaml: pass it to `--config`'] : []),
    ...(catalog === undefined
      ? ['enrolment, bypasses and addresses of the services: pass services.yaml to `--policies`']
      : []),
    ...(admin === undefined ? ['replicas, their keys and clocks: pass their admin ports to `--admin`'] : []),
  ]
}

function refuse(reason: string, terminal: Terminal): ExitCode {
  for (const line of reason.split('\n')) terminal.complain(toLine(line))
  return exitCodes.usage
}

function print(report: Report, json: true | undefined, terminal: Terminal): void {
  if (json) {
    const isHealthy = report.findings.every(({ severity }) => severity !== 'error')
    terminal.print(JSON.stringify({ healthy: isHealthy, ...report }, undefined, 2))
    return
  }
  for (const line of formatReport(report)) terminal.print(toLine(line))
}
