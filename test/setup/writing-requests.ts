import { randomUUID } from "node:crypto";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import { arnOfStack, INSTANCE_PROFILE, REGION, SERVICE_ROLE, type TestStack, userArn } from "./test-stack.ts";

const PUBLIC_KEY = { Modulus: Buffer.alloc(256, 0xab).toString("base64"), Exponent: "AQAB" };
const ec2 = () => ({ Ec2InstanceId: `i-${randomUUID().slice(0, 8)}` });

export const NEW_STACK = {
  Name: "new",
  Region: REGION,
  ServiceRoleArn: SERVICE_ROLE,
  DefaultInstanceProfileArn: INSTANCE_PROFILE,
};

/** A request of every operation that writes, which does something when it is done; `as` may do everything, and there is a group `ops`. */
export function writingRequests(stack: TestStack, as: Identity, StackId: string) {
  const post = (operation: string, input: object) => stack.post(as, `/${operation}`, input);
  const newUser = async () => {
    const IamUserArn = userArn(`u${randomUUID().slice(0, 8)}`);
    await post("CreateUserProfile", { IamUserArn });
    return IamUserArn;
  };
  const layer = { StackId, Type: "custom", Name: "web", Shortname: "web" };
  const addLayer = async () => (await post("CreateLayer", layer)).body.LayerId;
  const addInstance = async () => {
    const { Ec2InstanceId } = ec2();
    const { body } = await post("RegisterInstance", { StackId, Ec2InstanceId, Platform: "Windows" });
    await stack.grant(StackId, as.userArn, { AllowSsh: true });
    const instance = stack.asRole("aws-opsworks-ec2-role", Ec2InstanceId);
    await stack.post(instance, "/DescribeInstanceAccess", {
      StackId,
      Nonce: randomUUID(),
      PublicKey: PUBLIC_KEY,
    });
    return body.InstanceId;
  };
  const tagged = { ResourceArn: arnOfStack(StackId) };
  const requests: Readonly<Record<string, () => Promise<object>>> = {
    CloneStack: async () => ({ SourceStackId: StackId, ServiceRoleArn: SERVICE_ROLE }),
    CreateLayer: async () => layer,
    CreateStack: async () => NEW_STACK,
    CreateUserProfile: async () => ({ IamUserArn: userArn(`u${randomUUID().slice(0, 8)}`) }),
    DeleteLayer: async () => ({ LayerId: await addLayer() }),
    DeleteStack: async () => ({ StackId }),
    DeleteUserProfile: async () => ({ IamUserArn: await newUser() }),
    DeregisterInstance: async () => ({ InstanceId: await addInstance() }),
    GrantAccess: async () => ({ InstanceId: await addInstance() }),
    ImportUsers: async () => {
      // Another job may begin.
      await stack.table.client.send(new DeleteCommand({ TableName: stack.tableName, Key: keys.sync() }));
      return { OnlyKnown: true };
    },
    RegisterInstance: async () => ({ StackId, ...ec2() }),
    SetPermission: async () => ({ StackId, IamUserArn: await newUser(), Level: "show" }),
    SetPermissions: async () => ({ StackId, GroupPermissions: [{ GroupName: "ops", Level: "show" }] }),
    TagResource: async () => ({ ...tagged, Tags: { a: "1" } }),
    UntagResource: async () => {
      await post("TagResource", { ...tagged, Tags: { a: "1" } });
      return { ...tagged, TagKeys: ["a"] };
    },
    UpdateLayer: async () => ({ LayerId: await addLayer(), Name: "renamed" }),
    UpdateMyUserProfile: async () => ({ SshPublicKey: "" }),
    UpdateStack: async () => ({ StackId, Name: "renamed" }),
    UpdateUserProfile: async () => ({ IamUserArn: await newUser(), AllowSelfManagement: true }),
  };
  return { requests, newUser, addInstance };
}
