import { loadPoliciesOf } from "../shared/access/policy-cache.ts";
import { loadSnapshots } from "../shared/access/snapshot.ts";
import { namesOf } from "../shared/access/who.ts";
import { BatchCheckAuthorization } from "../shared/contract/batch-check-authorization.ts";
import { type Evaluation, Question } from "../shared/contract/check-authorization.ts";
import { askedIn, check } from "../shared/lambda/check.ts";
import { serve } from "../shared/lambda/serve.ts";
import { toFault } from "../shared/lambda/to-fault.ts";
import { describeIssues } from "../shared/model/describe-issues.ts";
import { Fault } from "../shared/model/fault.ts";

/** Many questions in one round trip: everything is read together, then answered one by one. */
export const handler = serve(BatchCheckAuthorization, async (call) => {
  const { evaluations = [], options, ...defaults } = call.input;
  const semantic = options?.evaluations_semantic ?? "execute_all";
  const single = evaluations.length === 0;
  const questions = (single ? [{}] : evaluations).map((one) => readQuestion({ ...defaults, ...one }));

  const caller = call.caller.principal;
  const asked = questions.map((question) =>
    question instanceof Fault ? { userArns: namesOf(caller) } : askedIn(question, caller),
  );
  const snapshots = await loadSnapshots(call.deployment.table, asked);
  await loadPoliciesOf(
    call.deployment.table,
    snapshots.flatMap(({ user }, index) => (asked[index]?.userArns ?? []).map(user)),
  );

  const answers: Evaluation[] = [];
  for (const [index, question] of questions.entries()) {
    const snapshot = snapshots[index];
    const evaluation = snapshot && (await evaluate(question, (one) => check(call, one, snapshot), single));
    if (!evaluation) continue;
    answers.push(evaluation);
    if (semantic === "deny_on_first_deny" && !evaluation.decision) break;
    if (semantic === "permit_on_first_permit" && evaluation.decision) break;
  }
  const [only] = answers;
  return single && only ? only : { evaluations: answers };
});

function readQuestion(input: unknown): Question | Fault {
  const parsed = Question.safeParse(input);
  return parsed.success
    ? parsed.data
    : new Fault("ValidationException", describeIssues(parsed.error.issues, input));
}

/** One of a batch that cannot be answered is no, with its error inside. */
async function evaluate(
  question: Question | Fault,
  answer: (question: Question) => Promise<Evaluation>,
  single: boolean,
): Promise<Evaluation> {
  try {
    if (question instanceof Fault) throw question;
    return await answer(question);
  } catch (error) {
    if (single) throw error;
    const { name, statusCode, message } = toFault(error);
    return { decision: false, context: { error: { status: statusCode, code: name, message } } };
  }
}
