import { Fault } from "../model/fault.ts";
import type { RoleGap } from "../model/role-gap.ts";
import { type ImportReport, isRunning, type Sync } from "../model/sync.ts";
import { faultOfAws } from "../table/aws-fault.ts";
import { readSync, updateSync } from "../table/sync.ts";
import type { Table } from "../table/table.ts";
import { IamFault } from "./iam-reader.ts";

/** Another job took the place, or another runner ended this step: there is nothing left to do. */
class TakenOver extends Error {}
/** The function's time is nearly up. */
class OutOfTime extends Error {}

/** What it takes to end a step in order, and for the work between two looks at the clock. */
const RESERVE = 60_000;
/** The stream gives up after 20 tries; before that the job is to say so. */
const MAX_ATTEMPTS = 15;
const MAX_STEPS = 50;
const MOST_SHOWN = 100;
const MAX_SENTENCE = 500;

/** Which step of which job is due. */
export type Due = { readonly ImportId: string; readonly Step: number };

type Counts = Record<
  "Added" | "Changed" | "Unchanged" | "Vanished" | "Unreadable" | "NotUnderstoodCount" | "Findings",
  number
>;

/** A job as it runs: its item, and what it has to say. Counts begin anew with every run. */
export class ImportJob {
  readonly table: Table;
  readonly #now: () => Date;
  readonly #timeLeft: () => number;
  #sync: Sync;
  #units: number;
  readonly #counts: Counts = {
    Added: 0,
    Changed: 0,
    Unchanged: 0,
    Vanished: 0,
    Unreadable: 0,
    NotUnderstoodCount: 0,
    Findings: 0,
  };
  readonly #vanishedUsers: string[] = [];
  readonly #notUnderstood: string[] = [];
  readonly #roleGaps: NonNullable<ImportReport["RoleGaps"]> = [];
  #done = 0;

  private constructor(table: Table, sync: Sync, now: () => Date, timeLeft: () => number) {
    this.#sync = sync;
    this.#units = sync.WriteUnits;
    this.#now = now;
    this.#timeLeft = timeLeft;
    this.table = { ...table, onWriteUnits: (units) => (this.#units += units) };
  }

  /**
   * Runs a step of a job, if it is due still. A job that is interrupted stays as it is, and whoever runs it again does the same
   * once more: what is written is not written again.
   * @throws whatever interrupted it, so that it is run again
   */
  static async run(
    { table, now, timeLeft }: { table: Table; now: () => Date; timeLeft: () => number },
    due: Due,
    work: (job: ImportJob) => Promise<Pick<Sync, "PoliciesAsOf">>,
  ): Promise<void> {
    const sync = await readSync(table);
    if (!sync || sync.ImportId !== due.ImportId || sync.Step !== due.Step || !isRunning(sync)) return;
    const job = new ImportJob(table, sync, now, timeLeft);
    if (sync.Attempts >= MAX_ATTEMPTS) {
      const Failure = sync.Failure ?? "it was ended by Lambda each time: see the log of RunImport";
      return job.#end("failed", { Failure });
    }
    try {
      await job.#save({ Status: "running", Attempts: sync.Attempts + 1 });
      await job.#end("succeeded", await work(job));
    } catch (error) {
      if (error instanceof TakenOver) return;
      if (!(error instanceof OutOfTime)) await job.#fail(error);
      else if (sync.Step < MAX_STEPS) await job.#save({ Status: "due", Step: sync.Step + 1, Attempts: 0 });
      else await job.#end("failed", { Failure: `it did not come to an end in ${MAX_STEPS} steps` });
      if (!(error instanceof OutOfTime)) throw error;
    }
  }

  get sync(): Sync {
    return this.#sync;
  }

  get now(): Date {
    return this.#now();
  }

  /** @throws when there is no time for more, which ends the step, and another one goes on */
  checkTime(): void {
    if (this.#timeLeft() < RESERVE) throw new OutOfTime();
  }

  count(what: keyof Counts, by = 1): void {
    this.#counts[what] += by;
  }

  vanished(userArn: string): void {
    this.#counts.Vanished += 1;
    if (this.#vanishedUsers.length < MOST_SHOWN) this.#vanishedUsers.push(userArn);
  }

  notUnderstood(...sentences: readonly string[]): void {
    const room = MOST_SHOWN - this.#notUnderstood.length;
    this.#notUnderstood.push(...sentences.slice(0, room).map(cut));
    this.#counts.NotUnderstoodCount += sentences.length;
  }

  /** What comes before all else that was not understood: who could not even be named. */
  notUnderstoodFirst(...sentences: readonly string[]): void {
    this.#notUnderstood.unshift(...sentences.slice(0, MOST_SHOWN).map(cut));
    this.#notUnderstood.splice(MOST_SHOWN);
    this.#counts.NotUnderstoodCount += sentences.length;
  }

  /** Keeps what a stack's roles lack, as far as there is room. */
  roleGaps(StackId: string, gaps: readonly RoleGap[]): void {
    const room = MOST_SHOWN - this.#roleGaps.length;
    this.#roleGaps.push(
      ...gaps.slice(0, room).map(({ code, Arn, message }) => ({ StackId, code, Arn, message })),
    );
  }

  /** Says that it lives, and how far it is. */
  async progress(done = 0): Promise<void> {
    this.#done += done;
    await this.#save({});
    this.checkTime();
  }

  async #end(Status: "succeeded" | "failed", more: Partial<Sync>): Promise<void> {
    const { IamUserArns: _over, NotReplaced: _too, Failure: _past, RoleGaps: _old, ...sync } = this.#sync;
    this.#sync = sync;
    await this.#save({
      Status,
      FinishedAt: this.now.toISOString(),
      ...(Status === "succeeded" ? { Progress: { Done: this.#done, Of: this.#done } } : {}),
      VanishedUsers: this.#vanishedUsers,
      NotUnderstood: this.#notUnderstood,
      ...(this.#roleGaps.length > 0 ? { RoleGaps: this.#roleGaps } : {}),
      ...more,
    });
  }

  async #fail(error: unknown): Promise<void> {
    const Failure = messageOf(error);
    const isOver = isPermanent(error) || this.#sync.Attempts >= MAX_ATTEMPTS;
    try {
      await (isOver ? this.#end("failed", { Failure }) : this.#save({ Failure }));
    } catch {
      // What went wrong first is what counts, and the table may be what went wrong.
    }
  }

  async #save(changes: Partial<Sync>): Promise<void> {
    const { Step } = this.#sync;
    const next: Sync = { ...this.#sync, ...this.#report(), ...changes };
    if (!(await updateSync(this.table, next, Step))) throw new TakenOver();
    this.#sync = next;
  }

  #report(): Partial<ImportReport> & Pick<Sync, "SeenAt"> {
    return {
      ...this.#counts,
      Progress: { Done: this.#done },
      WriteUnits: this.#units,
      SeenAt: this.now.toISOString(),
    };
  }
}

function cut(sentence: string): string {
  return sentence.slice(0, MAX_SENTENCE);
}

function isPermanent(error: unknown): boolean {
  return error instanceof IamFault
    ? error.permanent
    : error instanceof Fault && error.name === "ValidationException";
}

/** For whoever may see the job; what is unforeseen is in the function's log. */
function messageOf(error: unknown): string {
  if (error instanceof IamFault || error instanceof Fault) return error.message.slice(0, MAX_SENTENCE);
  return faultOfAws(error)?.message ?? "something went wrong on our side: see the log of RunImport";
}
