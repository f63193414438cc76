import { createActorChain } from 'waywarden-agent'

// `localhost` is the same machine by a name that is not listed.
export const allow = ['127.0.0.1']
export const chain = createActorChain({ allow })
