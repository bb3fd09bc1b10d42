import * as z from "zod";

/** How a list is asked for in pages. Without `MaxResults` it comes whole or, when it cannot, the error says how to page. */
export const Paging = {
  MaxResults: z
    .int({ error: "must be a whole number from 1 to 1000" })
    .min(1, { error: "must be a whole number from 1 to 1000" })
    .max(1000, { error: "must be a whole number from 1 to 1000" })
    .optional(),
  NextToken: z.string().max(2048).optional(),
};
