/** Port: a cryptographic hash. Synchronous, because it is part of pure operations on small values. */
export interface Digest {
  /** SHA-256 (FIPS 180-4) of the UTF-8 bytes of `text`, as 64 lower-case hex digits. */
  sha256(text: string): string
}
