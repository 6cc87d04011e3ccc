import { configurationAndOutbox } from './0001-configuration-and-outbox.ts'

/** One step forward. Its text never changes once it has shipped; a mistake is mended by another step. */
export type Migration = Readonly<{ number: number; name: string; sql: string }>

export const migrations: readonly Migration[] = [{ number: 1, name: 'configuration-and-outbox', sql: configurationAndOutbox }]
