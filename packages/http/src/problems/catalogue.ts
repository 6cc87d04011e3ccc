/** One kind of problem (RFC 9457): stable code, status, short title and what a client can do about it. */
export type ProblemKind = Readonly<{ status: number; title: string; remedy: string }>

export type ProblemCode =
  | 'malformed-json'
  | 'invalid-parameter'
  | 'invalid-header'
  | 'invalid-cursor'
  | 'bad-request'
  | 'idempotency-key-required'
  | 'unauthenticated'
  | 'invalid-token'
  | 'invalid-api-key'
  | 'signature-invalid'
  | 'insufficient-permission'
  | 'scope-not-permitted'
  | 'beyond-reach'
  | 'beyond-grant'
  | 'not-found'
  | 'config-not-found'
  | 'entry-not-found'
  | 'version-not-found'
  | 'payment-not-found'
  | 'subscription-not-found'
  | 'delivery-not-found'
  | 'api-key-not-found'
  | 'dead-letter-not-found'
  | 'stream-not-found'
  | 'revision-beyond-head'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'duplicate-reference'
  | 'payment-state-conflict'
  | 'request-in-flight'
  | 'too-many-subscriptions'
  | 'too-many-api-keys'
  | 'too-many-secrets'
  | 'api-key-revoked'
  | 'subscription-disabled'
  | 'delivery-still-pending'
  | 'dead-letter-settled'
  | 'unknown-consumer'
  | 'event-not-applicable'
  | 'cursor-gone'
  | 'stale-version'
  | 'stale-payment'
  | 'stale-subscription'
  | 'resolved-etag'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'expectation-failed'
  | 'invalid-body'
  | 'invalid-value'
  | 'unknown-version'
  | 'idempotency-key-reused'
  | 'forbidden-target'
  | 'unusable-recipient'
  | 'precondition-required'
  | 'too-many-replays'
  | 'rate-limited'
  | 'header-too-large'
  | 'internal-error'
  | 'store-unavailable'
  | 'keys-unavailable'
  | 'payment-service-unavailable'
  | 'user-directory-unavailable'
  | 'deadline-exceeded'
  | 'overloaded'
  | 'shutting-down'

const elsewhere = 'It does not exist, or belongs to another client: what belongs to others shows only with clients:all.'
const retry =
  'Try again after the time in Retry-After, with growing pauses. Conditional writes, and requests with an Idempotency-Key, are safe to send again.'

/** Every problem that this service answers: the catalogue pages and the OpenAPI document are made from it. */
export const catalogue: Readonly<Record<ProblemCode, ProblemKind>> = {
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send one JSON text (RFC 8259) in UTF-8, with Content-Type: application/json.',
  },
  'invalid-parameter': {
    status: 400,
    title: 'A path or query parameter is not valid',
    remedy: 'Each fault names its parameter as #/path/<name> or #/query/<name>, and what it may be.',
  },
  'invalid-header': {
    status: 400,
    title: 'A header field is not valid',
    remedy: 'Each fault names its field as #/header/<name>. Entity tags stand in double quotes, exactly as they were received.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor has no valid form',
    remedy: 'Pass cursors on exactly as they were received: <epoch>.<revision>, or a bare revision.',
  },
  'bad-request': {
    status: 400,
    title: 'The request is not valid HTTP',
    remedy: 'Mend the request line, the Host field or the framing of the request.',
  },
  'idempotency-key-required': {
    status: 400,
    title: 'The request needs an Idempotency-Key',
    remedy: 'Send Idempotency-Key with a fresh value, such as a UUID, for each new request, and the same value whenever you repeat it.',
  },
  unauthenticated: {
    status: 401,
    title: 'A bearer token or an API key is required',
    remedy: 'Send Authorization: Bearer <token or API key>, or x-api-key. In development `npm run -s cbp -- token mint` makes one.',
  },
  'invalid-token': {
    status: 401,
    title: 'The bearer token is not valid',
    remedy: 'Get a new token from the issuer, for this audience; the detail says what is wrong with this one.',
  },
  'invalid-api-key': {
    status: 401,
    title: 'The API key is not acceptable',
    remedy: 'It is mistyped, unknown, expired, revoked, or not to be used from there; which of these is told to its owner only.',
  },
  'signature-invalid': {
    status: 401,
    title: 'The webhook is not signed well',
    remedy:
      'Sign as Standard Webhooks has it: HMAC-SHA256 over id.timestamp.body with a secret that this service knows, in webhook-id, webhook-timestamp (now, within 5 minutes) and webhook-signature.',
  },
  'insufficient-permission': {
    status: 403,
    title: 'The token lacks a permission',
    remedy: 'Get a token whose scope names the permission that WWW-Authenticate asks for, or admin.',
  },
  'scope-not-permitted': {
    status: 403,
    title: 'The token is confined to other configuration scopes',
    remedy: 'Name with ?scope= a scope that lies under one of the cbp_scopes of the token.',
  },
  'beyond-reach': {
    status: 403,
    title: 'The subscription asks for more than its owner may hear',
    remedy:
      'What is no event of a payment takes config:read that is not confined to scopes. Leave out the types that the detail names, or get such a token.',
  },
  'beyond-grant': {
    status: 403,
    title: 'The API key would be allowed more than the client itself',
    remedy: 'Leave out the permissions and scopes that the detail names, or let somebody grant them who holds them.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing at this path',
    remedy: 'See /docs for the paths of this service.',
  },
  'config-not-found': {
    status: 404,
    title: 'The setting has no value',
    remedy: 'Neither this scope nor any above it holds an entry, and no default ships. Set one with PUT and If-None-Match: *.',
  },
  'entry-not-found': {
    status: 404,
    title: 'There is no entry at exactly this address',
    remedy: 'A value may still be inherited: read it without raw=true. To create an entry here send PUT with If-None-Match: *.',
  },
  'version-not-found': {
    status: 404,
    title: 'The entry has no such version',
    remedy: 'GET …/versions lists the versions there are.',
  },
  'revision-beyond-head': {
    status: 404,
    title: 'The revision does not exist yet',
    remedy: 'asOf takes a revision up to the head, which GET /config tells.',
  },
  'payment-not-found': {
    status: 404,
    title: 'There is no such payment',
    remedy: elsewhere,
  },
  'subscription-not-found': {
    status: 404,
    title: 'There is no such subscription',
    remedy: elsewhere,
  },
  'delivery-not-found': {
    status: 404,
    title: 'There is no such delivery',
    remedy: elsewhere,
  },
  'api-key-not-found': {
    status: 404,
    title: 'There is no such API key',
    remedy: elsewhere,
  },
  'dead-letter-not-found': {
    status: 404,
    title: 'There is no such dead letter',
    remedy: 'GET /events/dead-letters lists those that there are.',
  },
  'stream-not-found': {
    status: 404,
    title: 'There is no such stream',
    remedy: 'GET /events/streams lists those that there are; a stream begins with its first event.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The path does not take this method',
    remedy: 'The Allow field lists the methods that it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    remedy: 'Send the whole request promptly once the connection is open.',
  },
  'duplicate-reference': {
    status: 409,
    title: 'The reference is taken',
    remedy: 'Each reference names one payment of a client for ever; `paymentId` is the one that has it. Choose another, or leave it out.',
  },
  'payment-state-conflict': {
    status: 409,
    title: 'The state of the payment does not allow this',
    remedy: '`current` tells how it stands. Only a PENDING payment can be amended, cancelled or processed.',
  },
  'request-in-flight': {
    status: 409,
    title: 'The first request with this key is not answered yet',
    remedy: 'Repeat the request with the same key after the time in Retry-After.',
  },
  'too-many-subscriptions': {
    status: 409,
    title: 'The client has as many subscriptions as it may',
    remedy: 'Delete one that is not needed any more, or give an existing one more types.',
  },
  'too-many-api-keys': {
    status: 409,
    title: 'The client has as many API keys as it may',
    remedy: 'Revoke those that are not needed any more.',
  },
  'too-many-secrets': {
    status: 409,
    title: 'The API key has as many valid secrets as it may',
    remedy: 'Another rotation would end one that is in use. Rotate again after the time in Retry-After, when the oldest has ended.',
  },
  'api-key-revoked': {
    status: 409,
    title: 'The API key was revoked',
    remedy: 'What is revoked stays so. Make another.',
  },
  'subscription-disabled': {
    status: 409,
    title: 'The subscription is disabled',
    remedy: 'Mend its endpoint, then enable it with PATCH and {"active": true}.',
  },
  'delivery-still-pending': {
    status: 409,
    title: 'The delivery has not ended yet',
    remedy: 'It is still being tried. Only what was delivered, exhausted or cancelled can be sent again.',
  },
  'dead-letter-settled': {
    status: 409,
    title: 'The dead letter was replayed or discarded before',
    remedy: '`current` tells by whom and when; there is nothing left to do.',
  },
  'unknown-consumer': {
    status: 409,
    title: 'The consumer of the dead letter does not run here',
    remedy: 'Start the consumer again, or discard the letter with a reason.',
  },
  'event-not-applicable': {
    status: 409,
    title: 'The consumer still cannot apply the event',
    remedy: 'The detail says why. Mend that, then replay the letter again, or discard it with a reason.',
  },
  'cursor-gone': {
    status: 410,
    title: 'The cursor belongs to another history',
    remedy: 'The store was restored or failed over. Read GET /config/{component} again and go on from the cursor in its body.',
  },
  'stale-version': {
    status: 412,
    title: 'The entry is not what you last saw',
    remedy:
      'Nothing was written. `current` is the entry as it is now and `differences` what changed: decide anew, then write with its etag.',
  },
  'stale-payment': {
    status: 412,
    title: 'The payment is not what you last saw',
    remedy: 'Nothing was changed. `current` tells its version now: read it, decide anew, then send its version as If-Match.',
  },
  'stale-subscription': {
    status: 412,
    title: 'The subscription is not what you last saw',
    remedy: 'Nothing was changed. `current` is the subscription as it is now: decide anew, then send its version as If-Match.',
  },
  'resolved-etag': {
    status: 412,
    title: 'The entity tag is that of a resolved value',
    remedy: 'Write against the entry itself: use entryEtag of the resolved body, or If-None-Match: * where it is null.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    remedy: 'The detail says how much this path takes; nowhere is it more than 1 MiB. Split what is larger.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has an unsupported type',
    remedy: 'Send Content-Type: application/json (for PATCH also application/merge-patch+json) in UTF-8, without a content coding.',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation cannot be met',
    remedy: 'Leave out the Expect field, or send Expect: 100-continue.',
  },
  'invalid-body': {
    status: 422,
    title: 'The body does not fit its schema',
    remedy: 'Each fault points at a member of the body. Members that the schema does not name are refused.',
  },
  'invalid-value': {
    status: 422,
    title: 'The value is not acceptable',
    remedy: 'Each fault points into the value. Settings of the service itself have schemas; see their shipped defaults.',
  },
  'unknown-version': {
    status: 422,
    title: 'There is no such version to return to',
    remedy: 'GET …/versions lists the versions that toVersion may name.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    remedy: 'Take a fresh key for each new request. To repeat one, send exactly the same body.',
  },
  'forbidden-target': {
    status: 422,
    title: 'The URL can never be the target of a webhook',
    remedy: 'Use https with a public name and neither user information nor a private address; the fault says what is wrong.',
  },
  'unusable-recipient': {
    status: 422,
    title: 'Nothing can be sealed to the key of the recipient',
    remedy: 'Send the public key alone, as a JWK for encryption: EC on P-256, P-384 or P-521, OKP X25519, or RSA from 2048 bits.',
  },
  'precondition-required': {
    status: 428,
    title: 'The write needs a precondition',
    remedy:
      'Send If-Match with the ETag that you last saw; for an entry that is its raw ETag (entryEtag of a resolved one), or If-None-Match: * to create it.',
  },
  'too-many-replays': {
    status: 429,
    title: 'Dead letters are replayed too fast',
    remedy: 'Go on after the time in Retry-After.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    remedy:
      'Go on after the time in Retry-After. RateLimit tells what is left of each limit and RateLimit-Policy what the limits are; `violated-policies` names the one that was met.',
  },
  'header-too-large': {
    status: 431,
    title: 'The header is too large',
    remedy: 'All header fields together take at most 16 KiB, and a token at most 8 KiB.',
  },
  'internal-error': {
    status: 500,
    title: 'The service failed',
    remedy: 'This is a defect of the service. Report the requestId; the log tells the rest.',
  },
  'store-unavailable': { status: 503, title: 'The store does not answer', remedy: retry },
  'keys-unavailable': { status: 503, title: 'The keys of the token issuer cannot be read', remedy: retry },
  'payment-service-unavailable': { status: 503, title: 'The Payment Service does not answer', remedy: retry },
  'user-directory-unavailable': { status: 503, title: 'The User Service does not answer', remedy: retry },
  'deadline-exceeded': {
    status: 503,
    title: 'The request took too long',
    remedy: 'A write may or may not have been made: look before sending it again. Reads can be sent again.',
  },
  overloaded: {
    status: 503,
    title: 'This instance has more to do than it can do in time',
    remedy: 'Nothing was done. Try again after the time in Retry-After, with growing pauses; another instance may take it at once.',
  },
  'shutting-down': { status: 503, title: 'This instance is shutting down', remedy: retry },
}

export const problemCodes: readonly ProblemCode[] = Object.keys(catalogue) as ProblemCode[]
