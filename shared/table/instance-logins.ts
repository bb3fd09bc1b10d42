import { Fault } from "../model/fault.ts";
import { type InstanceKey, InstanceLogin, StoredKey } from "../model/instance-login.ts";
import { keys } from "./keys.ts";
import { queryPages } from "./list.ts";
import type { Table } from "./table.ts";
import { putExpired, putNew, type Write } from "./write.ts";

/** As long as a signed request can arrive: five minutes around the time that its signature names. In seconds. */
const BETWEEN_LOGINS = 10 * 60;

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
      else if ("LoginId" in item) logins.push(InstanceLogin.parse(item));
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

/**
 * One login at a time for each user: it is shown to whoever sends the request, so a captured one that is sent again must not get another.
 * Nothing in OpsWorks' request tells the two apart, and API Gateway does not say what the signature was.
 */
export function latestLogin(table: Table, { InstanceId, IamUserArn, now }: Asked): Write {
  const seconds = Math.floor(now.getTime() / 1000);
  const item = { IamUserArn, ExpiresAt: seconds + BETWEEN_LOGINS };
  const tooSoon = () =>
    new Fault(
      "ValidationException",
      `you were given a login to the instance less than ${BETWEEN_LOGINS / 60} minutes ago: use it, or wait`,
    );
  return putExpired(table, keys.latestLogin(InstanceId, IamUserArn), item, seconds, tooSoon);
}

type Asked = { readonly InstanceId: string; readonly IamUserArn: string; readonly now: Date };

export function newLogin(table: Table, instanceId: string, login: InstanceLogin): Write {
  const there = () => new Fault("ConflictException", `a login with ID ${login.LoginId} is there already`);
  return putNew(table, keys.instanceLogin(instanceId, login.LoginId), login, there);
}
