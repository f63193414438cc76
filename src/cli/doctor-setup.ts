import { type KubeObject, labelsAt, textAt } from '../base/document/kube-object.ts'
import type { Problem } from '../base/document/problem.ts'
import { isFailure } from '../base/model/failure.ts'
import type { Problems } from '../base/model/problems.ts'
import { type Config, type ConfigProblems, parseConfig } from '../config/config.ts'
import { type Catalog, parseCatalog } from '../policy/catalog/catalog.ts'
import { readPolicyDirectory } from '../policy/source/directory-source.ts'
import { readConfigFile } from './config-file.ts'

const configKey = 'waywarden.yaml'
const catalogKey = 'services.yaml'

/** Finds the configuration: in a file, else mounted in the cluster, else none. */
export async function findConfig(
  file: string | undefined,
  objects: readonly KubeObject[] | undefined,
): Promise<Config | ConfigProblems | undefined> {
  if (file !== undefined) return readConfigFile(file)
  const mounted = findConfigMap(objects, configKey)
  if (mounted === undefined) return undefined
  // Including the environment variables that override it.
  const variables = (objects ?? [])
    .filter(({ kind, namespace }) => kind === 'ConfigMap' && namespace === mounted.namespace)
    .flatMap(({ body }) => [...(labelsAt(body, 'data') ?? [])])
    .filter(([key]) => key.startsWith('WAYWARDEN__'))
  const { namespace, name, body } = mounted
  const place = `ConfigMap ${namespace}/${name}/${configKey}`
  return parseConfig(place, textAt(body, 'data', configKey) ?? '', new Map(variables))
}

/** Finds the catalog: in a policy repository on this machine, else mounted in the cluster, else none. */
export async function findCatalog(
  { policies, config: file }: { readonly policies?: string; readonly config?: string },
  config: Config | undefined,
  objects: readonly KubeObject[] | undefined,
): Promise<Catalog | Problems<Problem> | undefined> {
  // A configuration from the cluster names a directory of the cluster.
  const directory = policies ?? (file === undefined ? undefined : config?.policy.directory)
  const source = directory === undefined ? undefined : await readPolicyDirectory(directory)
  if (source !== undefined && !isFailure(source)) {
    const text = source.files.get(catalogKey)
    if (text !== undefined) return parseCatalog(text)
    if (policies !== undefined)
      return { kind: 'problems', problems: [{ file: catalogKey, message: `missing in \`${policies}\`` }] }
  } else if (source !== undefined && policies !== undefined) {
    return { ...source, kind: 'problems' }
  }
  const mounted = textAt(findConfigMap(objects, catalogKey)?.body, 'data', catalogKey)
  return mounted === undefined ? undefined : parseCatalog(mounted)
}

function findConfigMap(objects: readonly KubeObject[] | undefined, key: string): KubeObject | undefined {
  return objects?.find(({ kind, body }) => kind === 'ConfigMap' && textAt(body, 'data', key) !== undefined)
}
