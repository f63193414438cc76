import type { Command } from 'commander'
import { type KubernetesList, toKubernetesList } from '../authoring/kubernetes-list.ts'
import { draftCatalog } from '../authoring/scaffold.ts'
import type { KubeObject } from '../base/document/kube-object.ts'
import { parseKubectlOutput } from '../base/document/kubectl-output.ts'
import { type Invalid, invalid, isInvalid } from '../base/model/invalid.ts'
import { parseTrustDomain } from '../base/model/spiffe-id.ts'
import { readInput } from './input.ts'
import { type ExitCode, exitCodes, type Finish, helpFooter, type Terminal, toLine } from './terminal.ts'

const command = 'kubectl get namespaces,services,pods -A -o json'

type ScaffoldCommandOptions = { readonly trustDomain: string; readonly namespace?: string }

/** Adds `catalog scaffold`. */
export function addCatalog(program: Command, terminal: Terminal, finish: Finish): void {
  const catalog = program.command('catalog').description('the catalog of the mesh: services.yaml')
  catalog
    .command('scaffold')
    .description(`draft services.yaml from \`${command}\``)
    .argument('[file]', 'output of kubectl, JSON or YAML; - for standard input', '-')
    .option('--trust-domain <name>', '`meshConfig.trustDomain` of the mesh', 'cluster.local')
    .option('--namespace <name>', 'only the services of this namespace')
    .addHelpText(
      'after',
      helpFooter(
        'waywarden catalog scaffold cluster.json > services.yaml',
        '0 drafted, 1 no service was found, or the input cannot be read',
      ),
    )
    .action(async (file: string, options: ScaffoldCommandOptions) =>
      finish(await scaffold(file, options, terminal)),
    )
}

async function scaffold(
  file: string,
  options: ScaffoldCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const trustDomain = parseTrustDomain(options.trustDomain)
  if (isInvalid(trustDomain)) {
    terminal.complain(`\`--trust-domain\`: ${trustDomain.reason}`)
    return exitCodes.usage
  }
  const found = await readCluster(file, terminal)
  if (isInvalid(found)) {
    terminal.complain(toLine(found.reason))
    return exitCodes.negative
  }
  const { list, objects } = found
  const { lines, services } = draftCatalog(list, { trustDomain, namespace: options.namespace })
  for (const line of lines) terminal.print(line)
  if (services > 0) return exitCodes.ok
  terminal.complain(
    list.services.length > 0
      ? 'no service that can have a waypoint; the comments say why'
      : `expected Services, found ${countKinds(objects)}; this command reads everything: ${command}`,
  )
  return exitCodes.negative
}

type Cluster = { readonly objects: readonly KubeObject[]; readonly list: KubernetesList }

async function readCluster(file: string, terminal: Terminal): Promise<Cluster | Invalid> {
  const input = await readInput(file, terminal)
  if (isInvalid(input)) return input
  const objects = parseKubectlOutput(input.text)
  if (isInvalid(objects)) return invalid(`${objects.reason}; this command reads everything: ${command}`)
  const list = toKubernetesList(objects)
  return isInvalid(list) ? list : { objects, list }
}

function countKinds(objects: readonly KubeObject[]): string {
  const counts = new Map<string, number>()
  for (const { kind } of objects) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none'
}
