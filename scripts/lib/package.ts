export type Manifest = Readonly<{
  name: string
  exports?: Readonly<Record<string, unknown>>
  bin?: Readonly<Record<string, string>>
  peerDependencies?: Readonly<Record<string, string>>
}>

export type Package = Readonly<{ folder: string; manifest: Manifest; tarball: string }>

/** Why a package must not be published. */
export type Fault = Readonly<{ name: string; check: string; output: string }>
