/** Opens the store in the file given and prints its epoch. */
import { open } from '../plain-store.ts'

const store = await open({ path: process.argv[2] as string })
const head = (await store.configStore.head())._unsafeUnwrap()
process.stdout.write(`${head.epoch}\n`)
await store.close()
