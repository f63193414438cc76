import type { EntityType, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Problem } from '../../base/document/problem.ts'
import type { Catalog, CatalogRoute, CatalogService } from './catalog.ts'

type Declarations = {
  readonly entityTypes: Readonly<Record<string, EntityType<string>>>
  readonly schema: SchemaJson<string>
}

const file = 'services.yaml'

/**
 * Checks the catalog against the schema: each action and resource type must be declared and must fit the facts of a
 * request.
 */
export function catalogProblems(catalog: Catalog, schema: SchemaJson<string>): readonly Problem[] {
  const entityTypes = Object.fromEntries(
    Object.entries(schema).flatMap(([namespace, definition]) =>
      Object.entries(definition.entityTypes).map(([name, type]) => [qualified(namespace, name), type]),
    ),
  )
  return catalog.services.flatMap((service) =>
    (service.routes ?? []).flatMap((route) => routeProblems(service, route, { entityTypes, schema })),
  )
}

function routeProblems(
  service: CatalogService,
  route: CatalogRoute,
  { entityTypes, schema }: Declarations,
): readonly Problem[] {
  const problems: Problem[] = []
  const say = (message: string) =>
    problems.push({
      file,
      line: route.line,
      message: `service \`${service.name}\`, route \`${route.route.text}\`: ${message}`,
    })
  const type = route.resource?.type ?? 'Service'
  const action = schema['']?.actions[route.action.id]
  if (action === undefined)
    say(`action \`${route.action.id}\` is not in schema.cedarschema; declare it there`)
  else {
    const resources = action.appliesTo?.resourceTypes ?? []
    if (!resources.includes(type))
      say(`action \`${route.action.id}\` does not apply to \`${type}\`; add it to the action's \`resource\``)
    const context: unknown = action.appliesTo?.context
    if (JSON.stringify(context) !== '{"type":"RequestContext"}') {
      say(
        `action \`${route.action.id}\`: expected \`context: RequestContext\`, which is what every request carries`,
      )
    }
  }
  if (type === 'Service') return problems
  const declared = entityTypes[type]
  if (declared === undefined)
    say(`resource type \`${type}\` is not in schema.cedarschema; declare \`entity ${type} in [Service];\``)
  else if ('enum' in declared)
    say(`resource type \`${type}\`: expected an entity with ids from requests, found an enumeration`)
  else {
    if (!(declared.memberOfTypes ?? []).includes('Service')) {
      say(`resource type \`${type}\`: expected \`in [Service]\`, since every resource belongs to its service`)
    }
    for (const attribute of requiredAttributes(declared.shape)) {
      say(
        `resource type \`${type}\` requires \`${attribute}\`, which a request cannot prove; make it optional (\`${attribute}?\`)`,
      )
    }
  }
  return problems
}

function requiredAttributes(shape: unknown): readonly string[] {
  // Cedar's JSON schema: {type: 'Record', attributes: {name: {…, required?: boolean}}}.
  const { attributes = {} } = (shape ?? {}) as { attributes?: Record<string, { required?: boolean }> }
  return Object.keys(attributes).filter((name) => attributes[name]?.required !== false)
}

function qualified(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}::${name}`
}
