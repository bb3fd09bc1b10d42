"use strict";

/** osls plugin, to be listed first: when a bundle fails, esbuild's service process stays alive and osls would hang for ever. */
// oxlint-disable-next-line typescript/no-extraneous-class -- osls takes a class
module.exports = class ExitOnError {
  constructor() {
    // Half a second lets osls print the error before the process ends.
    this.hooks = { error: () => setTimeout(() => process.exit(process.exitCode || 1), 500) };
  }
};
