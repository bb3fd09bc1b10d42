import type * as z from "zod";
import { DescribeUserProfiles } from "../contract/describe-user-profiles.ts";
import { Fault } from "../model/fault.ts";
import type { Visit } from "./page.ts";

export type Profile = z.output<typeof DescribeUserProfiles.output>["UserProfiles"][number];

export async function readProfile(visit: Visit): Promise<Profile> {
  const { UserProfiles } = await visit.call(DescribeUserProfiles, { IamUserArns: [userOf(visit)] });
  const [profile] = UserProfiles;
  if (!profile) throw new Fault("ResourceNotFoundException", "there is no such user");
  return profile;
}

/** Whom a page is about, as its address says. */
export function userOf({ request: { query } }: Pick<Visit, "request">): string {
  return query.get("user") ?? "";
}
