import { Fault } from "../model/fault.ts";
import { faultOfAws } from "../table/aws-fault.ts";

/** Any error as one of the closed set; what is unforeseen tells the caller `InternalFailure` and nothing else. */
export function toFault(error: unknown): Fault {
  return (
    faultOfAws(error) ?? new Fault("InternalFailure", "something went wrong on our side", { cause: error })
  );
}
