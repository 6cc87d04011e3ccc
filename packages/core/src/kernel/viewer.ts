/** Whose things may be seen and changed: those of one client, or everybody's. Others look as if they did not exist. */
export type Viewer = Readonly<{ client: string; seesAll: boolean }>

export function maySee({ client, seesAll }: Viewer, owner: string): boolean {
  return seesAll || owner === client
}
