import { allows, changed, groupOf, isIn, isShown, profileAfter, RANK, stronger } from "./rules.ts";
import {
  groupsIn,
  isGrant,
  isSame,
  keyOf,
  NONE,
  type Permission,
  permissionIn,
  type Profile,
  profileIn,
  Register,
  type Shown,
  stackIn,
  type StackState,
} from "./states.ts";
import {
  isAbout,
  isCopy,
  isEvent,
  isImport,
  isUnixId,
  layerAtFirst,
  NO_VERSION,
  partOf,
  partsOf,
  SETS,
} from "./trail.ts";
import { type Entry, FEED, outcomeOf, READS, type Run } from "./workload.ts";
import { IMPORTER, MANAGERS, policyOf, USERS, type Wire } from "./world.ts";

/**
 * What should be after a run, worked out from the trail, the answers and the requests, with nothing of the service's own rules. The trail
 * gives the order of changes; that it is right is not believed but checked: against the answers, against the requests, link by link, and
 * against the table.
 */
export type Verdict = { readonly violations: string[]; readonly figures: Figures };

export type Figures = {
  done: number;
  refused: number;
  unknown: number;
  /** Of the unknown ones, those that were done. */
  unknownDone: number;
  events: number;
  /** Requests that were asked again with their token. */
  askedAgain: number;
  /** Changes that were made at a version that the caller named. */
  atVersion: number;
  imports: number;
  /** Instances that were told who may log in. */
  feeds: number;
  /** Temporary logins that were given. */
  logins: number;
  /** Answers about levels that were held against the states that there can have been. */
  reads: number;
  allowed: number;
  /** Unix ids that were counted and that nobody has who is there: of users who were deleted, and lost ones. */
  unusedUnixIds: number;
};

/** Operations that write nothing when nothing would change. */
const MAY_CHANGE_NOTHING = new Set(["SetPermission", "SetPermissions", "TagResource", "UntagResource"]);
/** Instances that ask write an event the first time alone, for the key that they bring. */
const MAY_HAVE_NO_EVENT = new Set([...MAY_CHANGE_NOTHING, FEED]);
const STATUSES = new Set([200, 400, 403, 404, 409, 429, 503]);
/** Of one kind, so that one that is everywhere hides no other. */
const MOST_SAID = 5;

export function judge(run: Run): Verdict {
  return new Judge(run).judge();
}

class Judge {
  readonly #run: Run;
  readonly #violations: string[] = [];
  /** How often each kind was found. */
  readonly #said = new Map<string, number>();
  readonly #figures: Figures = {
    done: 0,
    refused: 0,
    unknown: 0,
    unknownDone: 0,
    events: 0,
    askedAgain: 0,
    atVersion: 0,
    imports: 0,
    feeds: 0,
    logins: 0,
    reads: 0,
    allowed: 0,
    unusedUnixIds: 0,
  };
  readonly #entries: Map<string, Entry>;
  readonly #events: Wire[];
  readonly #after: Map<string, Wire>;
  readonly #before: Map<string, Wire>;
  readonly #users = new Map<string, Register<Profile | undefined>>();
  readonly #profiles = new Map<string, Set<string>>();
  readonly #stacks = new Map<string, Register<StackState | undefined>>();
  readonly #grants = new Map<string, Register<Permission>>();

  constructor(run: Run) {
    this.#run = run;
    this.#entries = new Map(run.history.map((entry) => [entry.id, entry]));
    this.#before = new Map(run.before.map((item) => [keyOf(item), item]));
    this.#after = new Map(run.after.map((item) => [keyOf(item), item]));
    this.#events = run.after
      .filter((item) => isEvent(item) && !this.#before.has(keyOf(item)))
      .toSorted((a, b) => (a.sk < b.sk ? -1 : 1));
    this.#figures.events = this.#events.length;
    this.#figures.imports = run.imported;
  }

  judge(): Verdict {
    this.#holdTrailToAnswers();
    this.#holdTokens();
    this.#holdVersions();
    this.#replayUsers();
    this.#replayImports();
    this.#replayStacks();
    this.#replayGrants();
    this.#holdLogins();
    this.#holdUsersToTable();
    this.#holdStacksToTable();
    this.#holdGrantsToTable();
    this.#holdAnswersToStates();
    return { violations: this.#violations, figures: this.#figures };
  }

  #wrong(what: string, about?: unknown): void {
    const said = (this.#said.get(what) ?? 0) + 1;
    this.#said.set(what, said);
    if (said > MOST_SAID) return;
    this.#violations.push(about === undefined ? what : `${what}: ${JSON.stringify(about)}`);
  }

  /** Every write that was acknowledged has its event, no other has two, and none that was refused has one. */
  #holdTrailToAnswers(): void {
    const events = Map.groupBy(this.#events, ({ UserAgent }) => String(UserAgent));
    for (const [id, some] of events) {
      if (!this.#entries.has(id) && !some.every(isImport)) this.#wrong("an event of nobody", some[0]);
    }
    for (const item of this.#run.before) {
      if (isEvent(item) && !isSame(this.#after.get(keyOf(item)), item))
        this.#wrong("an event was changed", item);
    }
    for (const entry of this.#run.history) {
      const own = (events.get(entry.id) ?? []).filter((event) => !isCopy(event) && !isUnixId(event));
      this.#figures[entry.outcome] += 1;
      if (entry.outcome === "unknown" && own.length > 0) this.#figures.unknownDone += 1;
      if (!entry.replies.every(({ status }) => STATUSES.has(status)))
        this.#wrong("an answer that is none of ours", entry);
      const [least, most] = this.#eventsExpected(entry);
      if (own.length < least) this.#wrong("acknowledged, and there is no event", entry);
      const isTwice = partsOf(entry).some((part) => own.filter((event) => isAbout(event, part)).length > 1);
      if (own.length > most || isTwice)
        this.#wrong(`${entry.outcome}, and there are ${own.length} events`, { entry, own });
      for (const event of events.get(entry.id) ?? []) {
        const at = Date.parse(event.Time);
        const isRight = event.Operation === entry.operation && event.Caller === entry.caller;
        if (!isRight || at < entry.start || at > entry.end)
          this.#wrong("an event tells another story", { entry, event });
      }
    }
  }

  #eventsExpected(entry: Entry): [least: number, most: number] {
    const { operation, outcome } = entry;
    if (READS.has(operation) || outcome === "refused") return [0, 0];
    const most = partsOf(entry).length;
    if (outcome === "unknown") return [0, most];
    return [MAY_HAVE_NO_EVENT.has(operation) ? 0 : most, most];
  }

  /** What was done is answered the same again, or not at all. */
  #holdTokens(): void {
    for (const { replies, ...entry } of this.#run.history) {
      const [first, again] = replies;
      if (!first || !again) continue;
      this.#figures.askedAgain += 1;
      if (outcomeOf(first) !== "done") continue;
      // A password is shown once.
      const withheld = entry.operation === "GrantAccess" ? 409 : undefined;
      const isNone = [429, 503, withheld].includes(again.status);
      if (!isNone && !isSame(again, first))
        this.#wrong("a token was answered otherwise", { ...entry, replies });
    }
  }

  /** What was changed at a version was what had been shown with it. */
  #holdVersions(): void {
    const shown = new Map<string, Wire>();
    for (const { body, outcome } of this.#run.history) {
      if (outcome !== "done") continue;
      for (const row of body.Permissions ?? []) {
        if (row.Version !== NO_VERSION) shown.set(row.Version, permissionIn(row));
      }
      // Settings are read after the stack, so they may be newer than its version, never older.
      for (const { StackId, Name, Version } of body.Stacks ?? []) shown.set(`${StackId} ${Version}`, Name);
    }
    const used = new Set<string>();
    for (const event of this.#events) {
      const entry = this.#entries.get(event.UserAgent);
      const IfVersion = partOf(entry, event).IfVersion ?? entry?.intent.IfVersion;
      if (IfVersion === undefined || isUnixId(event)) continue;
      this.#figures.atVersion += 1;
      const version = `${event.StackId} ${IfVersion}`;
      if (IfVersion !== NO_VERSION && used.has(version))
        this.#wrong("something was changed twice at one version", event);
      used.add(version);
      const was = event.IamUserArn === undefined ? event.Before.Name : permissionIn(event.Before);
      const expected = IfVersion === NO_VERSION ? NONE : (shown.get(IfVersion) ?? shown.get(version));
      if (!isSame(was, expected))
        this.#wrong("something was changed that was another version", { event, IfVersion, expected });
    }
  }

  /** When what an event tells was done: not before it was written down, and not after it was answered. */
  #timeOf(event: Wire): { entry: Entry | undefined; from: number; to: number } {
    const entry = this.#entries.get(event.UserAgent);
    const to = entry?.outcome === "done" ? entry.end : Number.POSITIVE_INFINITY;
    return { entry, from: Date.parse(event.Time), to };
  }

  /** Events of a register in the order in which they were made; of the same millisecond, as they fit on one another. */
  *#inOrder(events: readonly Wire[], fits: (event: Wire) => boolean): Generator<Wire> {
    const left = [...events];
    while (left.length > 0) {
      const together = left.filter(({ Time }) => Time === left[0].Time);
      const next = together.find(fits) ?? left[0];
      left.splice(left.indexOf(next), 1);
      yield next;
    }
  }

  #replayUsers(): void {
    for (const item of this.#run.before) if (item.sk === "USER") this.#register(item);
    const events = this.#events.filter(
      (event) => event.StackId === undefined && !isUnixId(event) && !isImport(event),
    );
    this.#holdUnixIds(this.#events.filter(isUnixId));
    for (const [arn, some] of Map.groupBy(events, ({ IamUserArn }) => String(IamUserArn))) {
      const register = this.#users.get(arn) ?? new Register<Profile | undefined>(undefined);
      this.#users.set(arn, register);
      const fits = (event: Wire) => isSame(profileIn(event.Before), register.last);
      for (const event of this.#inOrder(some, fits)) {
        if (!fits(event)) this.#wrong("a profile was changed as it was not", { event, was: register.last });
        const { entry, from, to } = this.#timeOf(event);
        const expected = profileAfter(event, entry?.input ?? {});
        if (!isSame(expected, profileIn(event.After)))
          this.#wrong("a profile became what nobody asked for", event);
        if (event.Before?.ProfileId) this.#profilesOf(arn).add(event.Before.ProfileId);
        register.add(profileIn(event.After), from, to);
      }
    }
  }

  /** What IAM says of somebody stays through deletion, begins where the import before ended, and ends as the last one says. */
  #replayImports(): void {
    const factsOf = (items: ReadonlyMap<string, Wire>, arn: string): Wire =>
      items.get(`USER#${arn}\nUSER`)?.Policies ?? items.get(`USER#${arn}\nIAM`)?.Policies;
    const imports = Map.groupBy(this.#events.filter(isImport), ({ IamUserArn }) => String(IamUserArn));
    for (const arn of USERS) {
      const register = new Register<Wire>(factsOf(this.#before, arn));
      for (const event of this.#inOrder(imports.get(arn) ?? [], ({ Before }) =>
        isSame(Before?.Policies, register.last),
      )) {
        if (!isSame(event.Before?.Policies, register.last))
          this.#wrong("an import changed what was not so", { event, was: register.last });
        if (event.Caller !== IMPORTER || event.Before?.ProfileId !== event.After.ProfileId)
          this.#wrong("an import made somebody", event);
        register.add(event.After.Policies, Date.parse(event.Time), Number.POSITIVE_INFINITY);
      }
      const is = factsOf(this.#after, arn);
      if (!isSame(is, register.last))
        this.#wrong("what IAM says is not as it should be", { arn, is, last: register.last });
      if (is?.[0]?.Name !== policyOf(this.#run.lastImport).PolicyName)
        this.#wrong("the last import is not what counts", { arn, is });
    }
  }

  /** Each was given once, for all of time. */
  #holdUnixIds(given: readonly Wire[]): void {
    const ids = given.map(({ After }) => After.UnixId);
    if (new Set(ids).size !== ids.length) this.#wrong("a Unix id was given twice", ids);
    for (const { IamUserArn } of given) {
      const id = this.#after.get(`USER#${IamUserArn}\nUSER`)?.UnixId;
      const isKnown =
        id === undefined || ids.includes(id) || this.#before.get(`USER#${IamUserArn}\nUSER`)?.UnixId === id;
      if (!isKnown) this.#wrong("a Unix id has no event", { IamUserArn, id });
    }
  }

  #register(item: Wire): void {
    this.#users.set(item.IamUserArn, new Register<Profile | undefined>(profileIn(item)));
    this.#profilesOf(item.IamUserArn).add(item.ProfileId);
  }

  #profilesOf(arn: string): Set<string> {
    const known = this.#profiles.get(arn) ?? new Set();
    this.#profiles.set(arn, known);
    return known;
  }

  #replayStacks(): void {
    for (const item of this.#run.before) {
      if (item.sk === "STACK")
        this.#stacks.set(item.StackId, new Register(stackIn(item.StackId, this.#before)));
    }
    const events = this.#events.filter(
      ({ StackId, IamUserArn }) => StackId !== undefined && IamUserArn === undefined,
    );
    for (const [stackId, some] of Map.groupBy(events, ({ StackId }) => String(StackId))) {
      const register = this.#stacks.get(stackId) ?? new Register<StackState | undefined>(undefined);
      this.#stacks.set(stackId, register);
      const own = some.filter((event) => !isCopy(event) && event.Operation !== FEED);
      for (const event of this.#inOrder(own, (one) => this.#fitsOnStack(one, register.last))) {
        if (!this.#fitsOnStack(event, register.last)) {
          this.#wrong("a stack was changed as it was not", { event, was: register.last });
        }
        const { entry, from, to } = this.#timeOf(event);
        const next = this.#stackAfter(event, register.last, partOf(entry, event), from);
        register.add(next, from, to);
      }
      this.#holdCopiesOfGroups(some.filter(isCopy), register);
      for (const event of some.filter(({ Operation }) => Operation === FEED)) this.#holdThere(event);
    }
  }

  /** The instance that an event is about was there. */
  #holdThere(event: Wire): void {
    const { entry, to } = this.#timeOf(event);
    const shown = this.#stacks.get(event.StackId)?.shown(entry?.start ?? 0, to) ?? [];
    if (!shown.some(({ state }) => state?.instances[event.After.InstanceId]))
      this.#wrong("an instance did something that was not there", event);
  }

  #holdCopiesOfGroups(copies: readonly Wire[], { steps }: Register<StackState | undefined>): void {
    const given = Object.fromEntries(copies.map(({ GroupName, After }) => [GroupName, After.Level]));
    const first = steps[0]?.state;
    if (first && copies.length > 0 && !isSame(first.groups, given))
      this.#wrong("levels of groups were copied wrong", given);
  }

  #fitsOnStack({ Operation, Before, After, GroupName }: Wire, was: StackState | undefined): boolean {
    if (Operation === "CreateStack" || Operation === "CloneStack")
      return was === undefined && Before === undefined;
    if (!was) return false;
    const { Name, DefaultInstanceProfileArn, settings } = was;
    switch (Operation) {
      case "UpdateStack":
        return isSame(Before, { Name, DefaultInstanceProfileArn, ...settings });
      case "DeleteStack":
        return (
          isSame([Before.Name, Before.Tags, groupsIn(Before)], [Name, was.Tags, was.groups]) &&
          isEmpty(was.layers) &&
          isEmpty(was.instances)
        );
      case "TagResource":
      case "UntagResource":
        return isSame(Before.Tags, Before.LayerId ? was.layers[Before.LayerId]?.Tags : was.Tags);
      case "SetPermission":
      case "SetPermissions":
        return Before.Level === (was.groups[GroupName] ?? "iam_only");
      case "CreateLayer":
        return (
          !was.layers[After.LayerId] &&
          !Object.values(was.layers).some((one) => one.Shortname === After.Shortname)
        );
      case "UpdateLayer":
      case "DeleteLayer":
        return isSame(Before, was.layers[Before.LayerId]);
      case "RegisterInstance":
        return !Object.values(was.instances).some((one) => one.Ec2InstanceId === After.Ec2InstanceId);
      case "DeregisterInstance":
        return isSame(Before, was.instances[Before.InstanceId]);
      default:
        return false;
    }
  }

  /** By what was asked for; what the event says is held against it. */
  #stackAfter(event: Wire, was: StackState | undefined, input: Wire, at: number): StackState | undefined {
    const { Operation, Before, After, GroupName } = event;
    const expect = (isRight: boolean) => {
      if (!isRight) this.#wrong("a stack became what nobody asked for", { event, input });
    };
    if (Operation === "CreateStack") {
      const { Region: _region, ServiceRoleArn: _role, Name, DefaultInstanceProfileArn, ...settings } = input;
      expect(After.Name === Name);
      return { Name, DefaultInstanceProfileArn, settings, Tags: {}, groups: {}, layers: {}, instances: {} };
    }
    if (Operation === "CloneStack") return this.#cloneAfter(event, input, at);
    if (!was || Operation === "DeleteStack") return undefined;
    const layer = (change: Wire) => ({
      ...was,
      layers: { ...was.layers, [(After ?? Before).LayerId]: change },
    });
    switch (Operation) {
      case "UpdateStack": {
        const { StackId: _id, Name = was.Name, ...change } = input;
        const next = { ...was, Name, settings: { ...was.settings, ...change } };
        const { DefaultInstanceProfileArn } = was;
        expect(isSame(After, { Name, DefaultInstanceProfileArn, ...next.settings }));
        return next;
      }
      case "TagResource":
      case "UntagResource": {
        const all: [string, string][] = Object.entries({ ...Before.Tags, ...input.Tags });
        const Tags = Object.fromEntries(all.filter(([name]) => !(input.TagKeys ?? []).includes(name)));
        expect(isSame(After.Tags, Tags));
        return After.LayerId ? layer({ ...was.layers[After.LayerId], Tags }) : { ...was, Tags };
      }
      case "SetPermission":
      case "SetPermissions": {
        const { [GroupName]: _before, ...others } = was.groups;
        expect(After.Level === input.Level && GroupName === input.GroupName);
        return {
          ...was,
          groups: input.Level === "iam_only" ? others : { ...others, [GroupName]: input.Level },
        };
      }
      case "CreateLayer":
        expect(After.Name === input.Name && After.Shortname === input.Shortname);
        return layer(After);
      case "UpdateLayer":
        expect(isSame(After, { ...Before, ...input }));
        return layer(After);
      case "DeleteLayer": {
        const { [Before.LayerId]: _gone, ...layers } = was.layers;
        return { ...was, layers };
      }
      case "RegisterInstance":
        expect(After.Ec2InstanceId === input.Ec2InstanceId && After.StackId === input.StackId);
        return { ...was, instances: { ...was.instances, [After.InstanceId]: After } };
      case "DeregisterInstance": {
        const { [Before.InstanceId]: _gone, ...instances } = was.instances;
        return { ...was, instances };
      }
      default:
        return was;
    }
  }

  #cloneAfter(event: Wire, input: Wire, at: number): StackState | undefined {
    const { After, StackId } = event;
    const { SourceStackId, ServiceRoleArn: _role, ClonePermissions, Name, ...settings } = input;
    // Its source was the same from when it was read until it was done.
    const sources = this.#stacks.get(SourceStackId)?.shown(at, at) ?? [];
    const made = stackIn(StackId, this.#after);
    const fits = sources.find(
      ({ state }) =>
        state && isSame(state.Tags, After.Tags) && Object.keys(state.layers).length === After.LayerIds.length,
    );
    const source = fits?.state;
    if (!source) {
      this.#wrong("a copy is like nothing that there was", event);
      return made;
    }
    const layers = Object.values(source.layers)
      .toSorted((a, b) => (a.LayerId < b.LayerId ? -1 : 1))
      .map((layer, index) => {
        const LayerId = After.LayerIds[index];
        const CreatedAt =
          this.#after.get(`LAYERS#${StackId}\n${LayerId}`)?.CreatedAt ?? layerAtFirst(this.#events, LayerId);
        return [LayerId, { ...layer, StackId, LayerId, CreatedAt }];
      });
    return {
      Name: Name ?? source.Name,
      DefaultInstanceProfileArn: source.DefaultInstanceProfileArn,
      settings: { ...source.settings, ...settings },
      Tags: source.Tags,
      groups: ClonePermissions ? source.groups : {},
      layers: Object.fromEntries(layers),
      instances: {},
    };
  }

  #replayGrants(): void {
    for (const item of this.#run.before) {
      if (!isGrant(item)) continue;
      this.#grants.set(`${item.StackId} ${item.IamUserArn}`, new Register(permissionIn(item)));
    }
    const events = this.#events.filter(
      ({ StackId, IamUserArn, Operation }) =>
        StackId !== undefined && IamUserArn !== undefined && Operation !== "GrantAccess",
    );
    for (const [key, some] of Map.groupBy(events, ({ StackId, IamUserArn }) => `${StackId} ${IamUserArn}`)) {
      const register = this.#grants.get(key) ?? new Register(NONE);
      this.#grants.set(key, register);
      for (const event of this.#inOrder(some, (one) => isSame(one.Before, register.last))) {
        const { entry, from, to } = this.#timeOf(event);
        const isAsIfNew = isSame(event.Before, NONE) && this.#mayBeSomebodyElse(event, register, to);
        if (!isSame(event.Before, register.last) && !isAsIfNew) {
          this.#wrong("a permission was changed as it was not", { event, was: register.last });
        }
        register.add(permissionIn(event.After), from, to);
        if (SETS.has(event.Operation)) this.#holdChange(event, entry);
        else if (event.Operation !== "CloneStack")
          this.#wrong("a permission was changed by something else", event);
      }
    }
  }

  /** Each temporary login has its event, and was given on an instance that was there to somebody who might have it, with what they had. */
  #holdLogins(): void {
    const given = new Map<string, Wire>();
    for (const event of this.#events.filter(({ Operation }) => Operation === "GrantAccess")) {
      const { StackId, IamUserArn, After } = event;
      const { entry, to } = this.#timeOf(event);
      this.#figures.logins += 1;
      if (given.has(After.Username)) this.#wrong("a login was given twice", event);
      given.set(After.Username, event);
      const isAsked = entry?.input.InstanceId === After.InstanceId && entry?.caller === IamUserArn;
      const had = this.#together(IamUserArn, StackId, entry?.start ?? 0, to);
      const might = had.some(
        ({ own, level }) => own.AllowSsh && own.AllowSudo === After.Administrator && RANK.indexOf(level) > 0,
      );
      if (!isAsked || !might) this.#wrong("a login that nobody might have", { event, had });
      this.#holdThere(event);
      const told = entry?.outcome === "done" ? entry.body.TemporaryCredential?.Username : After.Username;
      if (told !== After.Username) this.#wrong("a login is another than was told", { entry, event });
    }
    const kept = this.#run.after.filter(({ LoginId }) => LoginId !== undefined);
    const lost = new Map(given);
    for (const item of kept) {
      const event = given.get(item.Username);
      lost.delete(item.Username);
      const isRight = event?.IamUserArn === item.IamUserArn && `LOGINS#${event.After.InstanceId}` === item.pk;
      if (!isRight) this.#wrong("a login that nobody gave", item);
    }
    for (const event of lost.values()) this.#wrong("a login was lost", event);
  }

  /** Whoever was deleted and made again has nothing of what there was. */
  #mayBeSomebodyElse({ IamUserArn }: Wire, register: Register<Permission>, to: number): boolean {
    const since = register.steps.at(-1)?.from ?? Number.NEGATIVE_INFINITY;
    return this.#deletionsOf(IamUserArn).some((deletion) => deletion.to >= since && deletion.from <= to);
  }

  #deletionsOf(arn: string): Shown<undefined>[] {
    const steps = this.#users.get(arn)?.steps ?? [];
    return steps.flatMap(({ state, from, to }) => (state === undefined ? [{ state, from, to }] : []));
  }

  #holdChange(event: Wire, entry: Entry | undefined): void {
    const { StackId, IamUserArn, Before, After, Caller } = event;
    const input = partOf(entry, event);
    const isRight = input.StackId === StackId && input.IamUserArn === IamUserArn;
    if (!isRight || !isSame(changed(Before, input), After))
      this.#wrong("a permission became what nobody asked for", event);
    if (input.Level !== undefined && Caller === IamUserArn)
      this.#wrong("somebody set their own level", event);
  }

  /** What somebody held by themselves, at some time of these; with what was taken from them by being deleted. */
  #held(arn: string, stackId: string, from: number, to: number): Shown<Permission>[] {
    const register = this.#grants.get(`${stackId} ${arn}`) ?? new Register(NONE);
    const deletions = this.#deletionsOf(arn);
    return register
      .shown(from, to)
      .flatMap((step, _index) => {
        const set = register.steps.find(({ state, from: at }) => state === step.state && at === step.from);
        const after = deletions.filter((deletion) => deletion.to >= step.from);
        if (after.length === 0 || isSame(step.state, NONE)) return [step];
        const surely = after.filter((deletion) => deletion.from > (set?.to ?? Number.NEGATIVE_INFINITY));
        const until = Math.min(step.to, ...surely.map((deletion) => deletion.to));
        const since = Math.min(...after.map((deletion) => deletion.from));
        return [
          { ...step, to: until },
          { state: NONE, from: Math.max(step.from, since), to: step.to },
        ];
      })
      .filter((step) => step.from <= to && step.to >= from);
  }

  /** What somebody held, and the level that counted with those of groups, at each moment of these. */
  #together(arn: string, stackId: string, from: number, to: number): { own: Permission; level: string }[] {
    const stacks = this.#stacks.get(stackId)?.shown(from, to) ?? [];
    return this.#held(arn, stackId, from, to).flatMap((own) =>
      stacks.flatMap((stack) => {
        const isAtOnce = Math.max(own.from, stack.from, from) <= Math.min(own.to, stack.to, to);
        if (!stack.state || !isAtOnce) return [];
        return [{ own: own.state, level: stronger(own.state.Level, groupOf(arn, stack.state)) }];
      }),
    );
  }

  #levels(arn: string, stackId: string, from: number, to: number): Set<string> {
    return new Set(this.#together(arn, stackId, from, to).map(({ level }) => level));
  }

  #holdUsersToTable(): void {
    const items = this.#run.after.filter(({ sk }) => sk === "USER");
    const arns = new Set([...this.#users.keys(), ...items.map(({ IamUserArn }) => IamUserArn)]);
    for (const arn of arns) {
      const item = this.#after.get(`USER#${arn}\nUSER`);
      const expected = this.#users.get(arn)?.last;
      if (!isSame(profileIn(item), expected))
        this.#wrong("a profile is not as it should be", { item, expected });
      if (item) this.#profilesOf(arn).add(item.ProfileId);
      if (item?.SshUsername === undefined) continue;
      const claim = this.#after.get(`SSHNAME#${item.SshUsername.toLowerCase()}\nSSHNAME`);
      const isOwn = claim?.IamUserArn === arn && claim?.ProfileId === item.ProfileId;
      if (!isOwn) this.#wrong("a login name is not its user's", { item, claim });
    }
    for (const claim of this.#run.after.filter(({ sk }) => sk === "SSHNAME")) {
      const user = this.#after.get(`USER#${claim.IamUserArn}\nUSER`);
      if (`SSHNAME#${user?.SshUsername?.toLowerCase()}` !== claim.pk)
        this.#wrong("a login name is nobody's", claim);
    }
    const ids = items.flatMap(({ UnixId }) => UnixId ?? []);
    if (new Set(ids).size !== ids.length) this.#wrong("a Unix id is two users'", ids);
    const counter = this.#after.get("UNIXIDS\nUNIXIDS");
    if (ids.some((id) => id < 2000 || id > (counter?.LastGiven ?? 0) || counter?.Returned?.has(id))) {
      this.#wrong("a Unix id is one that was not given", { ids, counter: counter?.LastGiven });
    }
    this.#figures.unusedUnixIds = counter
      ? counter.LastGiven - 1999 - ids.length - (counter.Returned?.size ?? 0)
      : 0;
  }

  #holdStacksToTable(): void {
    const ids = new Set(this.#stacks.keys());
    const unfinished = new Set<string>();
    for (const { pk, sk, StackId } of this.#run.after) {
      if (sk === "STACK") ids.add(StackId);
      if (sk === "CLONE") unfinished.add(pk.slice("STACK#".length));
    }
    for (const id of ids) {
      const expected = this.#stacks.get(id)?.last;
      const is = stackIn(id, this.#after);
      if (!isSame(is, expected)) this.#wrong("a stack is not as it should be", { id, is, expected });
      if (is && unfinished.has(id)) this.#wrong("a copy is there and is not finished", id);
      const { LayerCount = 0, InstanceCount = 0 } = this.#after.get(`STACK#${id}\nSTACK`) ?? {};
      const counts = [Object.keys(is?.layers ?? {}).length, Object.keys(is?.instances ?? {}).length];
      if (is && !isSame(counts, [LayerCount, InstanceCount]))
        this.#wrong("a stack does not know what it has", id);
    }
    for (const item of this.#run.after) this.#holdPlace(item, unfinished);
  }

  /** Nothing is left of a stack, a layer or an instance that is not there. */
  #holdPlace(item: Wire, unfinished: ReadonlySet<string>): void {
    const [kind = "", id = ""] = item.pk.split("#");
    const stackId: string = item.StackId ?? id;
    if (unfinished.has(stackId)) return;
    const there = this.#stacks.get(stackId)?.last;
    const isThere: Record<string, () => boolean> = {
      SETTINGS: () => this.#stacks.get(id)?.last !== undefined,
      LAYERS: () => there?.layers[item.LayerId] !== undefined,
      LAYER: () => there?.layers[id] !== undefined,
      INSTANCES: () => there?.instances[item.InstanceId] !== undefined,
      INSTANCE: () => there?.instances[id] !== undefined,
      EC2: () => there?.instances[item.InstanceId]?.Ec2InstanceId === id,
      // Logins to it expire by themselves.
      LOGINS: () => item.sk !== "KEY" || this.#hasInstance(id),
    };
    if (isThere[kind]?.() === false) this.#wrong("something is left of what is gone", item);
    const hasPlace: Record<string, string[]> = {
      LAYERS: [`LAYER#${item.LayerId}\nLAYER`],
      INSTANCES: [`INSTANCE#${item.InstanceId}\nINSTANCE`, `EC2#${item.Ec2InstanceId}\nEC2`],
    };
    for (const key of hasPlace[kind] ?? [])
      if (!this.#after.has(key)) this.#wrong("something cannot be found", item);
  }

  #hasInstance(id: string): boolean {
    return [...this.#stacks.values()].some(({ last }) => last?.instances[id] !== undefined);
  }

  #holdGrantsToTable(): void {
    for (const [key, { last }] of this.#grants) {
      const [stackId, arn] = key.split(" ");
      const item = this.#after.get(`STACK#${stackId}\nGRANT#${arn}`);
      const is = item ? permissionIn(item) : NONE;
      if (!isSame(is, last)) this.#wrong("a permission is not as it should be", { key, is, last });
    }
    for (const item of this.#run.after.filter(isGrant)) {
      const { StackId, IamUserArn, ProfileId } = item;
      if (!this.#grants.has(`${StackId} ${IamUserArn}`)) this.#wrong("a permission that nobody gave", item);
      if (!this.#profilesOf(IamUserArn).has(ProfileId)) this.#wrong("a permission of no profile", item);
      const user = this.#after.get(`USER#${IamUserArn}\nUSER`);
      const hasSsh = user?.ProfileId === ProfileId && item.AllowSsh;
      if (hasSsh && user.UnixId === undefined) this.#wrong("somebody has SSH and no Unix id", item);
    }
  }

  #holdAnswersToStates(): void {
    for (const entry of this.#run.history) {
      this.#holdRight(entry);
      if (entry.outcome === "done") this.#holdAnswer(entry);
      if (MAY_CHANGE_NOTHING.has(entry.operation)) this.#holdNothingToDo(entry);
    }
    const copies = this.#events.filter((event) => isCopy(event) && event.IamUserArn !== undefined);
    const made = this.#events.filter((event) => event.Operation === "CloneStack" && !isCopy(event));
    for (const event of made) this.#holdCopies(event, copies);
  }

  /** A manager who changed something had the right to, at some time of it. */
  #holdRight({ id, operation, caller, input, start, end, outcome }: Entry): void {
    if (!SETS.has(operation) || !MANAGERS.includes(caller)) return;
    const event = this.#events.find((one) => one.UserAgent === id && !isUnixId(one));
    if (!event) return;
    const until = outcome === "done" ? end : Number.POSITIVE_INFINITY;
    const levels = this.#levels(caller, input.StackId, Math.max(start, Date.parse(event.Time)), until);
    if (!levels.has("manage")) this.#wrong("somebody changed what they might not", event);
  }

  #holdAnswer(entry: Entry): void {
    const { operation, input, body, caller, start, end } = entry;
    if (operation === "CheckAuthorization") {
      this.#holdCheck(entry, input.subject.id, input.action.name, input.resource.id, body);
    }
    if (operation === "BatchCheckAuthorization") {
      for (const [index, one] of input.evaluations.entries()) {
        const given = body.evaluations[index];
        if (given.context.error) continue;
        this.#holdCheck(entry, input.subject.id, input.action.name, one.resource.id, given);
      }
    }
    if (operation === FEED) this.#holdFeed(entry);
    const rows: Wire[] = operation.startsWith("Describe") ? (body.Permissions ?? []) : [];
    for (const row of rows) {
      this.#figures.reads += 1;
      const held = this.#held(row.IamUserArn ?? caller, row.StackId, start, end);
      if (!held.some(({ state }) => isSame(state, permissionIn(row)))) {
        this.#wrong("a permission was shown that nobody had", { entry: { ...entry, body: row }, held });
      }
    }
    if (operation === "DescribeMyUserProfile") {
      const shown = this.#users.get(caller)?.shown(start, end) ?? [];
      const { SshUsername, SshPublicKey } = body.UserProfile;
      const isTrue = shown.some(
        ({ state }) => state && isSame([state.SshUsername, state.SshPublicKey], [SshUsername, SshPublicKey]),
      );
      if (!isTrue) this.#wrong("a profile was shown that nobody had", { entry, shown });
    }
  }

  /**
   * An instance is told of all who might log in at every moment, and else only of those who might as it was read: levels of groups, grants and
   * profiles one after the other, each as it was at some moment.
   */
  #holdFeed({ input, body, start, end, ...entry }: Entry): void {
    this.#figures.feeds += 1;
    const { StackId } = input;
    const told = new Map<string, Wire>(body.Users.map((row: Wire) => [row.iam_user_arn, row]));
    const stacks = this.#stacks.get(StackId)?.shown(start, end) ?? [];
    const mayBeIn = (arn: string) => stacks.some(({ state }) => state && groupOf(arn, state) !== "deny");
    const hasSsh = ({ state }: Shown<Permission>) => isIn({ own: state, level: state.Level });
    for (const arn of new Set([...told.keys(), ...this.#users.keys()])) {
      const row = told.get(arn);
      const held = this.#held(arn, StackId, start, end);
      const had = this.#together(arn, StackId, start, end);
      const profiles = this.#users.get(arn)?.shown(start, end) ?? [];
      const might =
        mayBeIn(arn) &&
        held.some((one) => hasSsh(one) && one.state.AllowSudo === row?.administrator_privileges) &&
        profiles.some(({ state }) => state && isShown(state, row));
      const must =
        stacks.every(({ state }) => state) &&
        had.every(isIn) &&
        profiles.every(({ state }) => state?.SshUsername !== undefined);
      if (row ? !might : must && had.length > 0)
        this.#wrong("an instance was told what was not so", { entry, arn, row, had });
    }
    for (const login of body.Logins ?? []) {
      const event = this.#events.find(({ After }) => After?.Username === login.username);
      const isGiven = event?.StackId === StackId && Date.parse(event.Time) <= end;
      const counts =
        isGiven &&
        mayBeIn(event.IamUserArn) &&
        this.#held(event.IamUserArn, StackId, start, end).some(hasSsh);
      if (!counts) this.#wrong("an instance was told of a login that does not count", { entry, login });
    }
  }

  /** An answer is one that some moment between question and answer would have given. */
  #holdCheck(entry: Entry, arn: string, action: string, stackId: string, { decision, context }: Wire): void {
    this.#figures.reads += 1;
    if (decision) this.#figures.allowed += 1;
    const { start, end } = entry;
    const levels = this.#levels(arn, stackId, start, end);
    const isGone = (this.#users.get(arn)?.shown(start, end) ?? []).some(({ state }) => state === undefined);
    const isTrue = levels.has(context.level) || (isGone && (context.level ?? "iam_only") === "iam_only");
    if (!isTrue) this.#wrong("a level counted that no moment had", { entry, levels: [...levels] });
    if (decision !== allows(arn, context.level ?? "iam_only", action)) {
      this.#wrong("a level was taken for what it is not", entry);
    }
  }

  /** What was done without an event was so already: of several at once, each, as soon as one of them has an event. */
  #holdNothingToDo(entry: Entry): void {
    const own = this.#events.filter((event) => event.UserAgent === entry.id && !isUnixId(event));
    if (entry.outcome !== "done" && own.length === 0) return;
    for (const part of partsOf(entry)) {
      if (!own.some((event) => isAbout(event, part))) this.#holdSoAlready(entry, part);
    }
  }

  #holdSoAlready(entry: Entry, part: Wire): void {
    const { start, outcome } = entry;
    const end = outcome === "done" ? entry.end : Number.POSITIVE_INFINITY;
    const { StackId, IamUserArn, GroupName, Level, ResourceArn, Tags = {}, TagKeys = [] } = part;
    if (IamUserArn !== undefined) {
      const held = this.#held(IamUserArn, StackId, start, end);
      if (!held.some(({ state }) => isSame(changed(state, part), state)))
        this.#wrong("nothing was done", { entry, held });
      return;
    }
    const [stackId, layerId] = placeOf(ResourceArn, this.#stacks) ?? [StackId];
    const isSo = (state: StackState | undefined) => {
      if (!state) return false;
      if (GroupName !== undefined) return (state.groups[GroupName] ?? "iam_only") === Level;
      const tags = layerId === undefined ? state.Tags : state.layers[layerId]?.Tags;
      const has = Object.entries(Tags).every(([name, value]) => tags?.[name] === value);
      return tags && has && TagKeys.every((name: string) => !(name in tags));
    };
    const shown = this.#stacks.get(stackId)?.shown(start, end) ?? [];
    if (!shown.some(({ state }) => isSo(state))) this.#wrong("nothing was done", entry);
  }

  /** A copy has what everybody had on its source, as far as that stayed as it was meanwhile. */
  #holdCopies(event: Wire, copies: readonly Wire[]): void {
    const { entry, to } = this.#timeOf(event);
    if (!entry?.input.ClonePermissions) return;
    for (const arn of this.#users.keys()) {
      const copy = copies.findLast(
        ({ StackId, IamUserArn }) => StackId === event.StackId && IamUserArn === arn,
      );
      // What the source had when the copy was there.
      const held = this.#held(arn, entry.input.SourceStackId, Date.parse(event.Time), to);
      const given = copy ? permissionIn(copy.After) : NONE;
      const isGone = (this.#users.get(arn)?.shown(entry.start, to) ?? []).some(
        ({ state }) => state === undefined,
      );
      // Of whoever was deleted meanwhile nothing counts, so it may be copied or not.
      const kept =
        this.#grants.get(`${entry.input.SourceStackId} ${arn}`)?.shown(Date.parse(event.Time), to) ?? [];
      const isLeft = isGone && (!copy || kept.some(({ state }) => isSame(state, given)));
      const isRight = held.some(({ state }) => isSame(state, given)) || isLeft;
      if (!isRight) this.#wrong("a copy gives what nobody had", { event, arn, given, held });
    }
  }
}

function placeOf(
  arn: string | undefined,
  stacks: ReadonlyMap<string, Register<StackState | undefined>>,
): [string, string?] | undefined {
  const [kind, id = ""] = arn?.split(":").at(-1)?.split("/") ?? [];
  if (kind === "stack") return [id];
  for (const [stackId, { steps, initial }] of stacks) {
    if ([initial, ...steps.map(({ state }) => state)].some((state) => state?.layers[id]))
      return [stackId, id];
  }
  return undefined;
}

function isEmpty(members: object): boolean {
  return Object.keys(members).length === 0;
}
