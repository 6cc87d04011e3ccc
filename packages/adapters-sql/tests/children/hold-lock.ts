/** Takes the write lock of the database given, says so, and gives it back when its input ends. */
import { DatabaseSync } from 'node:sqlite'

const database = new DatabaseSync(process.argv[2] as string)
database.exec('BEGIN IMMEDIATE')
process.stdout.write('locked\n')
process.stdin.on('end', () => {
  database.exec('COMMIT')
  database.close()
})
process.stdin.resume()
