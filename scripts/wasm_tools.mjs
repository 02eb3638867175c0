// Runs wasm-tools as npm has it: requests as JSON, a line each, from stdin; an answer for each to stdout. The first one
// that fails is the last one that is answered, as wasm-tools can't be called again after it has panicked.
import { createInterface } from "node:readline";
import { componentEmbed, componentNew, componentWit } from "@bytecodealliance/jco-transpile/wasm-tools";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const base64 = (data) => Buffer.from(data).toString("base64");
const does = {
  wit: async ({ data }) => base64(Buffer.from(await componentWit(bytes(data)))),
  dummy: async ({ text, world }) =>
    base64(await componentEmbed({ dummy: true, witSource: text, world, features: { tag: "all" } })),
  new: async ({ data }) => base64(await componentNew(bytes(data), [])),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    console.log(JSON.stringify({ done: await does[request.verb](request) }));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error.payload ?? error).split("\n")[0] }));
    process.exit(0);
  }
}
