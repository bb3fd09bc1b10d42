"use strict";

// `npm ci` brings Node 24 along on Linux x64; elsewhere, and where that failed, this is the one line that says so.
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  process.stderr.write(
    `Node 24 or newer is needed, this is ${process.version}: see https://nodejs.org/en/download\n`,
  );
  process.exit(1);
}
