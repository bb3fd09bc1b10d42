import { Fault } from "../model/fault.ts";
import { type InstanceKey, InstanceLogin, StoredKey } from "../model/instance-login.ts";
import { keys } from "./keys.ts";
import { queryPages } from "./list.ts";
import type { Table } from "./table.ts";
import { putNew, type Write } from "./write.ts";

/** An instance's key, and its temporary logins that have not expired; read consistently. */
export async function readLogins(table: Table, instanceId: string, now: Date) {
  const ofKey = keys.instanceKey(instanceId);
  const query = {
    KeyConditionExpression: "pk = :logins",
    ExpressionAttributeValues: { ":logins": ofKey.pk },
    ConsistentRead: true,
  };
  let key: InstanceKey | undefined;
  const logins: InstanceLogin[] = [];
  for await (const items of queryPages(table, query)) {
    for (const item of items) {
      if (item.sk === ofKey.sk) key = StoredKey.parse(item);
      else logins.push(InstanceLogin.parse(item));
    }
  }
  return { key, logins: logins.filter(({ ExpiresAt }) => ExpiresAt * 1000 > now.getTime()) };
}

/** The first key of an instance stays: whoever came by its credentials later reads no password. */
export function newInstanceKey(table: Table, instanceId: string, key: InstanceKey): Write {
  return putNew(table, keys.instanceKey(instanceId), key, anotherKey);
}

export function anotherKey(): Fault {
  return new Fault(
    "ConflictException",
    "the instance has another key: deregister it and register it again to give it a new one",
  );
}

export function newLogin(table: Table, instanceId: string, login: InstanceLogin): Write {
  const there = () => new Fault("ConflictException", `a login with ID ${login.LoginId} is there already`);
  return putNew(table, keys.instanceLogin(instanceId, login.LoginId), login, there);
}
