import * as z from "zod";
import { ImportReport } from "../model/sync.ts";
import { operation } from "./operation.ts";

/** How far the last import job is, or how it ended. */
export const DescribeImport = operation({
  name: "DescribeImport",
  path: "/DescribeImport",
  reads: true,
  input: z.strictObject({}),
  output: ImportReport.extend({ Status: z.enum(["running", "succeeded", "failed"]) }),
  needs: () => ({ action: "stackwarden:DescribeImport" }),
});
