/** The house's floors from the top down (docs/architecture.md). Imports run downwards only, and rooms on one floor never meet. */
export const floors: readonly (readonly string[])[] = [
  ['main'],
  ['cli'],
  ['app'],
  ['config'],
  ['ext-authz', 'admin'],
  ['review'],
  ['check'],
  ['revision', 'identity', 'chain', 'audit', 'observe'],
  ['jws', 'cache', 'follow', 'document'],
  ['model'],
]

/** Every third-party package with side doors into the house, and the one room that may open it. */
export const packageRooms: Readonly<Record<string, string>> = {
  '@grpc': 'ext-authz',
  'grpc-health-check': 'ext-authz',
  protobufjs: 'ext-authz',
  jose: 'jws',
  '@cedar-policy': 'revision',
  pino: 'observe',
  'prom-client': 'observe',
  '@opentelemetry': 'observe',
  'lru-cache': 'cache',
  commander: 'cli',
}

/** Rooms that decide, and so touch neither files nor sockets nor clocks. */
export const pureRooms: readonly string[] = ['check', 'model']

const configKnows: readonly string[] = ['document', 'model']

/** What a room may not import, by floor: all above it and beside it; config knows only nouns and how documents are read. */
export function forbiddenRooms(room: string): readonly string[] {
  const floor = floors.findIndex((rooms) => rooms.includes(room))
  const others = floors.flatMap((rooms, index) => (index <= floor ? rooms : []))
  const rooms = room === 'config' ? floors.flat().filter((other) => !configKnows.includes(other)) : others
  return rooms.filter((other) => other !== room)
}
