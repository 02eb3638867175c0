// componentize.mjs SOURCE WIT WORLD OUT: what `jco componentize` does, without a server's and a client's HTTP.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [source, witPath, worldName, out] = process.argv.slice(2);
const require = createRequire(`${process.cwd()}/`);
const { componentize } = await import(pathToFileURL(require.resolve("@bytecodealliance/componentize-js")));
const disableFeatures = ["http", "fetch-event"];
const { component } = await componentize(await readFile(source, "utf8"), { witPath, worldName, disableFeatures });
await writeFile(out, component);
