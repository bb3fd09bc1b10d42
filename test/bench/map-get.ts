import type { Engine } from "./engine.ts";
import type { Workload } from "./workload.ts";

/** The least that any engine could do: an answer that was there before, found by user and stack. */
export function mapGet({ questions }: Workload): Engine {
  const answers = new Map<string, Map<string, boolean>>();
  const asked = questions.map(({ user, resource, level }) => {
    const byStack = answers.get(user.arn) ?? new Map<string, boolean>();
    answers.set(user.arn, byStack.set(resource, level === "manage"));
    return { user: user.arn, resource };
  });
  const lookUp = ({ user, resource }: { user: string; resource: string }) =>
    answers.get(user)?.get(resource) === true;
  return {
    name: "Map.get",
    note: "no decision: what two look-ups cost, by user and by stack",
    kind: "limit",
    perPass: questions.length,
    compared: 0,
    pass: () => {
      let found = 0;
      for (const one of asked) if (lookUp(one)) found += 1;
      return found;
    },
    isAllowed: () => false,
  };
}
