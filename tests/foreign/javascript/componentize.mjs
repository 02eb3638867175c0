// SOURCE WIT WORLD OUT: what `jco componentize` does, without the HTTP of a server and a client.

import { componentize } from "@bytecodealliance/componentize-js";
import { readFile, writeFile } from "node:fs/promises";

const [source, witPath, worldName, out] = process.argv.slice(1);
const disableFeatures = ["http", "fetch-event"];
const { component } = await componentize(await readFile(source, "utf8"), { witPath, worldName, disableFeatures });
await writeFile(out, component);
