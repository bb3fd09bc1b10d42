#!/usr/bin/env node
"use strict";

require("./require-node-24.cjs");

const [, , command] = process.argv;
if (command === "console") {
  process.argv.splice(2, 1);
  void import("./console.ts");
} else {
  process.stderr.write("npx stackwarden console --help\n");
  process.exitCode = 2;
}
