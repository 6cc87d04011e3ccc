export { openKeyRing } from '../assembly/keys/key-ring-file.ts'
export { httpPaymentService } from './payment-service/http-payment-service.ts'
export { openSandboxPaymentService } from './payment-service/sandbox/sandbox-payment-service.ts'
export { webhookTransport } from './webhooks/webhook-transport.ts'
