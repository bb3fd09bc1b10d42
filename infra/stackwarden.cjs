#!/usr/bin/env node
"use strict";

require("./require-node-24.cjs");

const COMMANDS = {
  console: "opens the console in your browser, signed in as whoever your AWS credentials are of",
  audit: "answers an auditor's questions from the audit trail",
};
const HELP = `${Object.entries(COMMANDS)
  .map(([name, does]) => `npx stackwarden ${name.padEnd(8)} ${does}`)
  .join("\n")}\n\nnpx stackwarden <command> --help has the rest.\n`;

const [, , command] = process.argv;
if (command !== undefined && Object.hasOwn(COMMANDS, command)) {
  process.argv.splice(2, 1);
  void import(`./${command}.ts`);
} else if (command === "--help" || command === "-h" || command === "help") {
  process.stdout.write(HELP);
} else {
  process.stderr.write(
    `${command === undefined ? "which command?" : `there is no command ${command}`}\n\n${HELP}`,
  );
  process.exitCode = 2;
}
