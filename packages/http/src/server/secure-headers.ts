/** On every answer. None of them is ever a page to embed, a source of scripts, or something to sniff. */
const everywhere: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** What pages take besides: they share no process with others, and ask for nothing of the device. */
export const pageHeaders: Readonly<Record<string, string>> = {
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), fullscreen=(self), geolocation=(), microphone=(), payment=(), usb=()',
}

export type SecureHeaders = Readonly<Record<string, string>>

/** Made once: they go with every answer. `null`: nothing is said of the transport. */
export function secureHeadersWith(strictTransportSecurity: string | null): SecureHeaders {
  return strictTransportSecurity === null ? everywhere : { ...everywhere, 'strict-transport-security': strictTransportSecurity }
}
