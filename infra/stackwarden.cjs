#!/usr/bin/env node
"use strict";

require("./require-node-24.cjs");

const [, , command] = process.argv;
if (command === "console" || command === "audit") {
  process.argv.splice(2, 1);
  void import(`./${command}.ts`);
} else {
  process.stderr.write("npx stackwarden console --help\nnpx stackwarden audit --help\n");
  process.exitCode = 2;
}
