/** One row of the report: a way of answering the questions of the workload. */
export type Engine = {
  readonly name: string;
  /** How it is used here, and what had to be done for it. */
  readonly note: string;
  /**
   * `peer`: decides in its own language. `by hand`: finds rules, but the conditions are code of ours. `limit`: decides
   * nothing and is there for scale.
   */
  readonly kind: "own" | "peer" | "by hand" | "limit";
  /** How many of the questions a pass takes, and of how many the answers are compared. */
  readonly perPass: number;
  readonly compared: number;
  readonly isAllowed: (index: number) => boolean | Promise<boolean>;
  /** Answers the first `perPass` questions and counts the allowed ones, so that no work can be left out. */
  readonly pass: () => number | Promise<number>;
};
