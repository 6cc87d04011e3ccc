/** Port: randomness for secrets, from the platform's cryptographic generator. */
export interface SecretSource {
  /** `bytes` random bytes in base64, padding included. */
  base64(bytes: number): string
}
