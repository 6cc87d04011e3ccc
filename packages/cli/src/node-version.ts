/** As in the manifest's `engines`. */
const oldest = { major: 22, minor: 13 }

/** One sentence when this Node is too old, else null. */
export function versionComplaint(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return null
  return `error: cbp needs Node ${oldest.major}.${oldest.minor} or newer; this is ${version}.\n`
}
