import { Fault } from "./fault.ts";

/** Where a deployment is. */
export type Place = { readonly partition: string; readonly region: string; readonly accountId: string };

/** The only resource type OpsWorks has; with or without the slash that ends it. */
const STACK_ARN = /^arn:aws[a-z-]*:opsworks:[a-z0-9-]+:\d{12}:stack\/[^/:*?]+\/?$/;

/** Whether a resource is one stack. */
export function isStackArn(resource: string): boolean {
  return STACK_ARN.test(resource);
}

/** `arn:aws:opsworks:<region>:<account>:stack/<id>/`, with the trailing slash of the User Guide. */
export function stackArn(place: Place, stackId: string): string {
  return arnOf(place, "stack", stackId);
}

/** `arn:aws:opsworks:<region>:<account>:layer/<id>/`. Nobody is allowed anything on it: what is allowed is said of stacks. */
export function layerArn(place: Place, layerId: string): string {
  return arnOf(place, "layer", layerId);
}

/** `arn:aws:opsworks:<region>:<account>:instance/<id>/`, likewise. */
export function instanceArn(place: Place, instanceId: string): string {
  return arnOf(place, "instance", instanceId);
}

function arnOf({ partition, region, accountId }: Place, type: string, id: string): string {
  return `arn:${partition}:opsworks:${region}:${accountId}:${type}/${id}/`;
}

/** @throws Fault ValidationException for a region that a stack here cannot be in */
export function regionMustBe({ region }: Place, given: string): void {
  if (given === region) return;
  throw new Fault(
    "ValidationException",
    `\`Region\` must be \`${region}\`: each region has its own deployment`,
  );
}
