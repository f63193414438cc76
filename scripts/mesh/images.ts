import { join } from 'node:path'
import type { ContainerObject } from './pod-object.ts'

/** The contents of an image: files and folders of this machine, mounted at paths of the container. */
export type Image = {
  readonly entrypoint: readonly string[]
  readonly user: number
  readonly binds: readonly { readonly from: string; readonly to: string }[]
  readonly env?: Readonly<Record<string, string>>
  readonly directory?: string
}

/** Where the programs and files that stand for images are. */
export type ImageSources = {
  /** The repository. */
  readonly project: string
  /** Programs that programs.ts built. */
  readonly programs: string
  /** The folder that scripts/image-tree.mjs made. */
  readonly imageTree: string
  /** The Node.js that the image has. */
  readonly node: string
  readonly envoy: string
  readonly bootstrapTemplate: string
  /** The identity provider's public keys, in a folder. */
  readonly identityProvider: string
}

/** The image that a container names, by what its name ends with; `undefined` when nothing stands for it. */
export function findImage(container: ContainerObject, sources: ImageSources): Image | undefined {
  const { programs } = sources
  const name = container.image.replace(/[:@].*$/, '').replace(/^.*\//, '')
  const program = (file: string, user: number): Image => ({
    entrypoint: [`/usr/local/bin/${file}`],
    user,
    binds: [{ from: join(programs, file), to: `/usr/local/bin/${file}` }],
  })
  switch (name) {
    case 'pilot':
      return program('pilot-discovery', 1337)
    case 'ztunnel':
      return program('ztunnel', 0)
    case 'proxyv2': {
      const agent = program('pilot-agent', 1337)
      const binds = [
        { from: sources.envoy, to: '/usr/local/bin/envoy' },
        { from: sources.bootstrapTemplate, to: '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json' },
      ]
      return { ...agent, binds: [...agent.binds, ...binds] }
    }
    case 'waywarden':
      return {
        entrypoint: ['/nodejs/bin/node', '--enable-source-maps', '/app/dist/main.js'],
        user: 65532,
        binds: [
          { from: join(sources.imageTree, 'app'), to: '/app' },
          { from: sources.node, to: '/nodejs/bin/node' },
        ],
        env: { NODE_ENV: 'production' },
      }
    // In its place stands any program: what counts is where its pod is.
    case 'prometheus':
      return hospitalImage('agent', sources)
    default:
      return container.image.startsWith('hospital/') ? hospitalImage(name, sources) : undefined
  }
}

function hospitalImage(name: string, { project, node, identityProvider }: ImageSources): Image {
  return {
    entrypoint: ['/nodejs/bin/node', '--import', 'tsx', `/project/demo/services/${name}.ts`],
    user: 65532,
    binds: [
      { from: project, to: '/project' },
      { from: node, to: '/nodejs/bin/node' },
      { from: identityProvider, to: '/idp' },
    ],
    directory: '/project',
  }
}
