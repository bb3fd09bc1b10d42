import type { Place } from "../model/stack-arn.ts";
import type { Table } from "../table/table.ts";

/** What one deployment is: where, over which table, and who its administrators are (ARNs, roles without their path). */
export type Deployment = {
  readonly table: Table;
  readonly place: Place;
  readonly administrators: ReadonlySet<string>;
};
