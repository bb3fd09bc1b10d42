import * as z from "zod";
import { Level } from "../model/level.ts";

/** The level that counts, where it is not the user's own, and where it comes from: `group/<name>` or `role/<name>`. */
export const LevelOfOthers = { EffectiveLevel: Level.optional(), LevelFrom: z.string().optional() };
