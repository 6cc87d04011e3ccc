/** Port: message authentication. Synchronous: messages are small. */
export interface Mac {
  /**
   * HMAC-SHA256 (RFC 2104, FIPS 198-1).
   *
   * @param keyBase64 the key's bytes in base64
   * @param message taken as its UTF-8 bytes
   * @returns the 32 bytes in base64
   */
  hmacSha256(keyBase64: string, message: string): string
  /** Whether two texts are the same, in a time that does not tell where they differ. */
  equal(left: string, right: string): boolean
}
