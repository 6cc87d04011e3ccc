import { columnsOf } from '../sql/record-kind.ts'
import { dataKeyKind } from './data-key-kind.ts'

export type DataKeyStatements = Readonly<{ dataKeys: string; dataKeysOf: string }>

const select = `SELECT ${columnsOf(dataKeyKind)} FROM data_keys`

/** There are few: one for each purpose and rotation. */
export const dataKeyStatements: DataKeyStatements = {
  dataKeys: `${select} ORDER BY version DESC, purpose`,
  dataKeysOf: `${select} WHERE purpose = @purpose ORDER BY version DESC`,
}
