"use strict";

/** osls plugin: takes out the role that osls makes for functions without one of their own. There are none, and it would read the stream. */
// oxlint-disable-next-line typescript/no-extraneous-class -- osls takes a class
module.exports = class NoSharedRole {
  constructor(serverless) {
    this.hooks = {
      "after:aws:package:finalize:mergeCustomProviderResources": () => {
        delete serverless.service.provider.compiledCloudFormationTemplate.Resources.IamRoleLambdaExecution;
      },
    };
  }
};
