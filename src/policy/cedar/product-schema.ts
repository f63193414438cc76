/** The version of the vocabulary below. Policies rely on it, so it is part of the product. */
export const productSchemaVersion = 1

/** Entity types that Waywarden creates from proven facts. No operator's schema, template or data may create them. */
export const ownEntityTypes: ReadonlySet<string> = new Set([
  'Action',
  'Agent',
  'AgentGroup',
  'Autonomous',
  'Group',
  'Namespace',
  'Service',
  'TrustDomain',
  'Tool',
  'User',
])

const vocabulary = `
entity TrustDomain;
entity Namespace in [TrustDomain];
entity AgentGroup in [AgentGroup];
entity Agent in [AgentGroup, Namespace, TrustDomain];
// It has no parents: a policy for a namespace's agents must not cover an autonomous caller.
entity Autonomous;
entity Group;
entity User in [Group];
entity Service;
entity Tool in [Service];

type ChainContext = {depth: Long, actors: Set<Agent>, subject?: User, scopes: Set<String>, recovered: Bool};
type HttpContext = {method: String, path: String};
type RequestContext = {role: String, delegatee?: Agent, chain: ChainContext, http: HttpContext, params: Params};

action "read", "write";
action "GET", "HEAD", "OPTIONS" in [Action::"read"] appliesTo {
  principal: [Agent, Autonomous, User], resource: [Service], context: RequestContext
};
action "POST", "PUT", "PATCH", "DELETE" in [Action::"write"] appliesTo {
  principal: [Agent, Autonomous, User], resource: [Service], context: RequestContext
};
`

/**
 * Added only if a service accepts connections, so that a schema with a `connect` of its own still loads. In no group,
 * because a connection can both read and write.
 */
const connections = `
action "connect" appliesTo { principal: [Autonomous], resource: [Service], context: RequestContext };
`

/** The parts of a catalog that shape its schema. */
export type SchemaShaping = {
  readonly services: readonly {
    readonly isTcp: boolean
    readonly routes: readonly { readonly route: { readonly parameters: readonly string[] } }[] | undefined
  }[]
}

/** The product's part of the schema for a catalog. */
export function schemaFor({ services }: SchemaShaping): string {
  const routes = services.flatMap((service) => service.routes ?? [])
  const schema = productSchema(routes.flatMap(({ route }) => route.parameters))
  return services.some(({ isTcp }) => isTcp) ? `${schema}${connections}` : schema
}

/**
 * The part that all catalogs share: the vocabulary, and `Params` with an optional attribute for each parameter of the
 * catalog's routes.
 */
export function productSchema(parameterNames: Iterable<string>): string {
  const attributes = [...new Set(parameterNames)].map((name) => `${name}?: String`)
  return `${vocabulary}type Params = {${attributes.join(', ')}};\n`
}
