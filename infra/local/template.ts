import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { packageService } from "./package-service.ts";

/** The CloudFormation template that a deployment would send; kept whole, its resources' properties read where needed. */
export const Template = z.looseObject({
  Parameters: z.record(z.string(), z.looseObject({ Default: z.string().optional() })),
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.unknown() })),
});
export type Template = z.infer<typeof Template>;

/** What one route of the HTTP API leads to; the environment as written, to be resolved with `resolveEnvironment`. */
export type Route = {
  /** Or `ANY`. */
  method: string;
  /** `/SetPermission`, or greedy: `/console/{proxy+}`. */
  path: string;
  authorizationType: "AWS_IAM" | "NONE";
  functionName: string;
  /** By which the gateway invokes the function. */
  alias: string;
  /** `functions/check-authorization.handler` */
  handler: string;
  environment: Record<string, unknown>;
};

/** Compiles the service's template, so that what runs locally is what would be deployed. */
export async function compileTemplate(): Promise<Template> {
  const workFolder = await mkdtemp(join(tmpdir(), "stackwarden-template-"));
  const remove = () => rmSync(workFolder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await readTemplate(await packageService(workFolder, { templateOnly: true }));
  } finally {
    remove();
    process.off("exit", remove);
  }
}

/** The template in the folder that `packageService` returned. */
export async function readTemplate(packageFolder: string): Promise<Template> {
  const file = join(packageFolder, "cloudformation-template-update-stack.json");
  return Template.parse(JSON.parse(await readFile(file, "utf8")));
}

const RouteProperties = z.object({
  RouteKey: z
    .string()
    .regex(
      /^[A-Z]+ \/(?:[^{}]*|[^{}]*\/\{[A-Za-z]+\+\})$/,
      "only literal and greedy routes are known: `POST /Name`, `ANY /folder/{rest+}`",
    ),
  AuthorizationType: z.enum(["AWS_IAM", "NONE"]).default("NONE"),
  Target: z.object({
    "Fn::Join": z.tuple([
      z.literal("/"),
      z.tuple([z.literal("integrations"), z.object({ Ref: z.string() })]),
    ]),
  }),
});

const IntegrationProperties = z.object({
  IntegrationType: z.literal("AWS_PROXY"),
  PayloadFormatVersion: z.literal("2.0"),
  IntegrationUri: z.object({ Ref: z.string() }),
});

const AliasProperties = z.object({
  FunctionName: z.object({ Ref: z.string().endsWith("LambdaFunction") }),
  FunctionVersion: z.literal("$LATEST"),
  Name: z.string(),
});

const FunctionProperties = z.object({
  Handler: z.string(),
  Timeout: z.number(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});

/** Every route of the HTTP API with the function behind it. */
export function routes(template: Template): Route[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === "AWS::ApiGatewayV2::Route")
    .map(({ Properties }) => {
      const route = RouteProperties.parse(Properties);
      const integrationId = route.Target["Fn::Join"][1][1].Ref;
      const integration = IntegrationProperties.parse(template.Resources[integrationId]?.Properties);
      const alias = AliasProperties.parse(template.Resources[integration.IntegrationUri.Ref]?.Properties);
      const functionId = alias.FunctionName.Ref;
      const { Handler, Environment } = FunctionProperties.parse(template.Resources[functionId]?.Properties);
      const space = route.RouteKey.indexOf(" ");
      return {
        method: route.RouteKey.slice(0, space),
        path: route.RouteKey.slice(space + 1),
        authorizationType: route.AuthorizationType,
        functionName: functionId.slice(0, -"LambdaFunction".length),
        alias: alias.Name,
        handler: Handler,
        environment: Environment.Variables,
      };
    });
}

/** A function that the table's stream runs. */
export type StreamSource = {
  functionName: string;
  handler: string;
  /** As written, to be resolved with `resolveEnvironment`. */
  environment: Record<string, unknown>;
  timeoutMs: number;
  batchSize: number;
  retries: number;
  /** Filter patterns, any of which lets a record through. */
  filters: unknown[];
};

const MappingProperties = z.object({
  EventSourceArn: z.object({ "Fn::GetAtt": z.tuple([z.literal("Table"), z.literal("StreamArn")]) }),
  FunctionName: z.object({
    "Fn::GetAtt": z.tuple([z.string().endsWith("LambdaFunction"), z.literal("Arn")]),
  }),
  BatchSize: z.number(),
  MaximumRetryAttempts: z.number(),
  FilterCriteria: z.object({ Filters: z.array(z.object({ Pattern: z.string() })) }),
});

/** Every function that the table's stream runs. */
export function streamSources(template: Template): StreamSource[] {
  return Object.values(template.Resources)
    .filter(({ Type }) => Type === "AWS::Lambda::EventSourceMapping")
    .map(({ Properties }) => {
      const mapping = MappingProperties.parse(Properties);
      const [functionId] = mapping.FunctionName["Fn::GetAtt"];
      const { Handler, Timeout, Environment } = FunctionProperties.parse(
        template.Resources[functionId]?.Properties,
      );
      return {
        functionName: functionId.slice(0, -"LambdaFunction".length),
        handler: Handler,
        environment: Environment.Variables,
        timeoutMs: Timeout * 1000,
        batchSize: mapping.BatchSize,
        retries: mapping.MaximumRetryAttempts,
        filters: mapping.FilterCriteria.Filters.map(({ Pattern }): unknown => JSON.parse(Pattern)),
      };
    });
}

const KeySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(["HASH", "RANGE"]) }));

const TableProperties = z.strictObject({
  BillingMode: z.literal("PAY_PER_REQUEST"),
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(["S", "N", "B"]) }),
  ),
  KeySchema,
  GlobalSecondaryIndexes: z.array(
    z.strictObject({
      IndexName: z.string(),
      KeySchema,
      Projection: z.strictObject({ ProjectionType: z.enum(["ALL", "KEYS_ONLY"]) }),
    }),
  ),
  StreamSpecification: z.strictObject({ StreamViewType: z.literal("NEW_AND_OLD_IMAGES") }),
  TimeToLiveSpecification: z.unknown(),
  PointInTimeRecoverySpecification: z.unknown(),
  SSESpecification: z.unknown(),
});

/**
 * The table as CreateTable wants it, with its stream if somebody reads it: at each request to a table with a stream, DynamoDB Local goes
 * through the records of all streams that it has. Expiry, recovery and encryption are calls of their own, and not for a local table.
 */
export function tableDefinition(
  template: Template,
  tableName: string,
  { stream = false }: { stream?: boolean | undefined } = {},
): CreateTableCommandInput {
  const table = TableProperties.parse(template.Resources["Table"]?.Properties);
  return {
    TableName: tableName,
    BillingMode: table.BillingMode,
    AttributeDefinitions: table.AttributeDefinitions,
    KeySchema: table.KeySchema,
    GlobalSecondaryIndexes: table.GlobalSecondaryIndexes,
    ...(stream && { StreamSpecification: { StreamEnabled: true, ...table.StreamSpecification } }),
  };
}
