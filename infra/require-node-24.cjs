"use strict";

// `npm ci` brings Node 24 along on Linux x64, and npm scripts then run on it.
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  process.stderr.write(
    `This is Node ${process.version}. Run \`npm ci\` first: on Linux x64 it installs the Node 24 this runs on.\n` +
      "Elsewhere, install Node 24 or newer yourself: https://nodejs.org/en/download\n",
  );
  process.exit(1);
}
