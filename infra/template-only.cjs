"use strict";

const { mkdirSync } = require("node:fs");
const { join } = require("node:path");

/**
 * osls plugin: with TEMPLATE_ONLY set, compiles the CloudFormation template and bundles nothing, for the local stack, which runs
 * the sources: 3 seconds instead of 12.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- osls takes a class
module.exports = class TemplateOnly {
  constructor(serverless) {
    this.hooks = {
      initialize: () => {
        if (!process.env.TEMPLATE_ONLY) return;
        // serverless-esbuild moves its results from there, whether it has any or not.
        mkdirSync(join(serverless.serviceDir, ".esbuild/.serverless"), { recursive: true });
        for (const lambda of Object.values(serverless.service.functions)) {
          Object.assign(lambda, { skipEsbuild: true, package: { artifact: "package.json" } });
        }
      },
    };
  }
};
