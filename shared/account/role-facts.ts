/** A document of IAM's as text, or why there is none. */
export type PolicyText =
  | { readonly Name: string; readonly Text: string }
  | { readonly Name: string; readonly Unreadable: string };

/** What IAM says of a role, as far as its gaps are to be found. */
export type RoleFacts = {
  /** With its path. */
  readonly Arn: string;
  /** Who may assume it. */
  readonly Trust: PolicyText;
  /** Inline and attached. */
  readonly Policies: readonly PolicyText[];
};

/** What an instance profile holds: at most one role. Source: IAM User Guide, "Using instance profiles". */
export type InstanceProfileFacts = { readonly Arn: string; readonly Role?: RoleFacts };
