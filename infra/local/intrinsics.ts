import * as z from "zod";
import type { Template } from "./template.ts";

const Ref = z.strictObject({ Ref: z.string() });
const Join = z.strictObject({ "Fn::Join": z.tuple([z.string(), z.union([Ref, z.array(z.unknown())])]) });

/**
 * A function's environment with CloudFormation's Ref and Fn::Join worked out: a name stands for its `given` value
 * (`{ Table: "stackwarden-local" }`), else for its parameter's default. Lists are given comma-separated.
 */
export function resolveEnvironment(
  template: Template,
  environment: Record<string, unknown>,
  given: Record<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, resolve(template, value, given)]),
  );
}

function resolve(template: Template, value: unknown, given: Record<string, string>): string {
  if (typeof value === "string") return value;
  const ref = Ref.safeParse(value);
  if (ref.success) return valueOf(template, ref.data.Ref, given);
  const join = Join.safeParse(value);
  if (join.success) {
    const [separator, list] = join.data["Fn::Join"];
    const items = Array.isArray(list)
      ? list.map((item) => resolve(template, item, given))
      : valueOf(template, list.Ref, given).split(",");
    return items.join(separator);
  }
  throw new Error(`cannot resolve \`${JSON.stringify(value)}\`: only Ref and Fn::Join are known`);
}

function valueOf(template: Template, name: string, given: Record<string, string>): string {
  const value = given[name] ?? template.Parameters[name]?.Default;
  if (value === undefined)
    throw new Error(`no value is given for \`${name}\`, and it is no parameter with a default`);
  return value;
}
