import * as z from "zod";

const error = "must be a time, such as `2026-03-01T09:00:00Z`";

/** A time as events spell it: ISO 8601, UTC, with milliseconds. */
export const Time = z.iso.datetime({ offset: true, error }).transform((text) => new Date(text).toISOString());
