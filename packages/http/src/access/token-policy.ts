import type { TokenRevocation, TokenRoles } from '@cbp/core'

/** What the issuer's roles stand for here, and which tokens count no more. Another object whenever any of it changes. */
export type TokenPolicy = Readonly<{ roles: TokenRoles; isRevoked: (token: TokenMarks) => boolean }>

/** By what a token is told from others. */
export type TokenMarks = Readonly<{ id: string | null; client: string; issuedAtSeconds: number | null }>

export const plainPolicy: TokenPolicy = { roles: { claim: 'roles', permissions: {} }, isRevoked: () => false }

export function tokenPolicy(roles: TokenRoles, revocations: readonly TokenRevocation[]): TokenPolicy {
  const ids = new Set<string>()
  const before = new Map<string, number>()
  for (const revocation of revocations) {
    if ('jti' in revocation) ids.add(revocation.jti)
    else before.set(revocation.client, Math.max(before.get(revocation.client) ?? 0, Date.parse(revocation.issuedBefore) / 1000))
  }
  return {
    roles,
    isRevoked: ({ id, client, issuedAtSeconds }) => {
      if (id !== null && ids.has(id)) return true
      const since = before.get(client)
      // One that does not tell when it was issued cannot show that it is newer.
      return since !== undefined && (issuedAtSeconds === null || issuedAtSeconds < since)
    },
  }
}
