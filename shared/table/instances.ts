import { randomUUID } from "node:crypto";
import * as z from "zod";
import { Fault } from "../model/fault.ts";
import { Instance, MAX_INSTANCES, noSuchInstance } from "../model/instance.ts";
import type { Stack } from "../model/stack.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import { queryPage, queryPages, readCursor, writeCursor } from "./list.ts";
import { stacksOf } from "./places.ts";
import { putStack } from "./stacks.ts";
import type { Table } from "./table.ts";
import { mustExist, putNew, remove, type Write } from "./write.ts";

const Ec2Place = z.object({ StackId: z.string(), InstanceId: z.string() });

type Located = z.infer<typeof Ec2Place>;

/** The stack of each of these instances that is there. */
export function stacksOfInstances(
  table: Table,
  instanceIds: readonly string[],
): Promise<Map<string, string>> {
  return stacksOf(table, instanceIds, keys.instancePlace);
}

/** What an EC2 instance is registered as. */
export async function placeOfEc2Instance(table: Table, ec2InstanceId: string): Promise<Located | undefined> {
  const key = keys.ec2Instance(ec2InstanceId);
  const item = (await getItems(table, [key])).get(key);
  return item === undefined ? undefined : Ec2Place.parse(item);
}

/**
 * These instances, in that order.
 * @throws Fault ResourceNotFoundException
 */
export async function readInstances(table: Table, located: readonly Located[]): Promise<Instance[]> {
  const keyOf = ({ StackId, InstanceId }: Located) => keys.instance(StackId, InstanceId);
  const items = await getItems(table, located.map(keyOf));
  return located.map((one) => {
    const item = items.get(keyOf(one));
    if (item === undefined) throw noSuchInstance(one.InstanceId);
    return Instance.parse(item);
  });
}

/** @throws Fault ResourceNotFoundException */
export async function readInstance(table: Table, located: Located): Promise<Instance> {
  const [instance] = await readInstances(table, [located]);
  if (!instance) throw noSuchInstance(located.InstanceId);
  return instance;
}

/** A page of a stack's instances, by their ids, read consistently. */
export async function listInstances(table: Table, stackId: string, limit: number, token: string | undefined) {
  const start = token === undefined ? undefined : keys.instance(stackId, readCursor("instances", token));
  const found = await queryPage(table, queryOf(stackId), limit, start);
  const page = found.items.map((item) => Instance.parse(item));
  const last = page.at(-1);
  return { page, next: found.next && last && writeCursor("instances", last.InstanceId) };
}

/**
 * Holds a layer to have no instances, with the stack's revision to guard the write.
 * @throws Fault ValidationException
 */
export async function layerMustBeEmpty(table: Table, stack: Stack, layerId: string): Promise<void> {
  if ((stack.InstanceCount ?? 0) === 0) return;
  for await (const items of queryPages(table, queryOf(stack.StackId))) {
    const instance = items.map((item) => Instance.parse(item)).find((one) => one.LayerIds.includes(layerId));
    if (instance) {
      throw new Fault(
        "ValidationException",
        `the layer has the instance ${instance.InstanceId}: deregister its instances first`,
      );
    }
  }
}

function queryOf(stackId: string) {
  return {
    KeyConditionExpression: "pk = :instances",
    ExpressionAttributeValues: { ":instances": keys.instance(stackId, "").pk },
    ConsistentRead: true,
  };
}

/**
 * The instance is added to a stack as it was read; the stack knows how many it has, so that it is never deleted with some.
 * @throws Fault ValidationException for one instance too many
 */
export function addInstance(table: Table, stack: Stack, instance: Instance): Write[] {
  const { InstanceCount = 0 } = stack;
  if (InstanceCount >= MAX_INSTANCES) {
    throw new Fault(
      "ValidationException",
      `a stack has at most ${MAX_INSTANCES} instances: deregister one of them first`,
    );
  }
  const { StackId, InstanceId, Ec2InstanceId } = instance;
  const there = () => new Fault("ConflictException", `an instance with ID ${InstanceId} is there already`);
  const registered = () =>
    new Fault("ConflictException", `\`Ec2InstanceId\` ${Ec2InstanceId} is registered already`);
  return [
    touch(table, stack, InstanceCount + 1),
    putNew(table, keys.instance(StackId, InstanceId), instance, there),
    putNew(table, keys.instancePlace(InstanceId), { StackId }, there),
    putNew(table, keys.ec2Instance(Ec2InstanceId), { StackId, InstanceId }, registered),
  ];
}

export function instanceMustExist(table: Table, { StackId, InstanceId }: Instance): Write {
  return mustExist(table, keys.instance(StackId, InstanceId), () => noSuchInstance(InstanceId));
}

export function removeInstance(table: Table, stack: Stack, instance: Instance): Write[] {
  const { StackId, InstanceId, Ec2InstanceId } = instance;
  return [
    touch(table, stack, (stack.InstanceCount ?? 0) - 1),
    remove(table, keys.instance(StackId, InstanceId)),
    remove(table, keys.instancePlace(InstanceId)),
    remove(table, keys.ec2Instance(Ec2InstanceId)),
    remove(table, keys.instanceKey(InstanceId)),
  ];
}

/** Every change of an instance gives its stack a new revision, which therefore guards all of them. */
function touch(table: Table, stack: Stack, InstanceCount: number): Write {
  return putStack(table, { ...stack, InstanceCount, Revision: randomUUID() }, stack.Revision);
}
