"use strict";

/**
 * osls plugin: API Gateway reaches every function by an alias of its own, `gateway`, which the function sees in the ARN it was
 * invoked by. A right to invoke the function itself is none to invoke the alias, so nobody else can pass for the gateway.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- osls takes a class
module.exports = class GatewayAlias {
  constructor(serverless) {
    this.hooks = { "after:package:compileEvents": () => addAliases(serverless.service.provider) };
  }
};

function addAliases({ compiledCloudFormationTemplate: { Resources } }) {
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type === "AWS::ApiGatewayV2::Integration")
      Properties.IntegrationUri = aliasOf(Properties.IntegrationUri);
    if (Type === "AWS::Lambda::Permission" && Properties.Principal === "apigateway.amazonaws.com") {
      Properties.FunctionName = aliasOf(Properties.FunctionName);
    }
  }

  function aliasOf({ "Fn::GetAtt": [functionId] }) {
    const id = functionId.replace(/LambdaFunction$/, "GatewayAlias");
    Resources[id] = {
      Type: "AWS::Lambda::Alias",
      Properties: { FunctionName: { Ref: functionId }, FunctionVersion: "$LATEST", Name: "gateway" },
    };
    return { Ref: id };
  }
}
