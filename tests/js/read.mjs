// Reads YAML documents as JSON lines on stdin; writes one JSON line each: what every JavaScript reader makes of it, and
// what prettier would make of the text. A reader that refuses shows its error in place of the data.
import { createInterface } from "node:readline";
import { load } from "js-yaml";
import { format } from "prettier";
import { parse } from "yaml";

// Maps, so that a key which is not text is seen: an object would turn the key null into the text "null".
function plain(node) {
  if (Array.isArray(node)) return node.map(plain);
  if (!(node instanceof Map)) return node;
  const object = Object.create(null); // no prototype: "__proto__" is a key like any other
  for (const [key, value] of node) object[typeof key === "string" ? key : `not text: ${typeof key} ${key}`] = plain(value);
  return object;
}

const READERS = {
  "yaml 1.2": (text) => plain(parse(text, { version: "1.2", mapAsMap: true })),
  "yaml 1.1": (text) => plain(parse(text, { version: "1.1", mapAsMap: true })),
  "js-yaml": (text) => load(text),
  prettier: (text) => format(text, { parser: "yaml" }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  const seen = {};
  for (const [name, read] of Object.entries(READERS)) {
    try {
      seen[name] = await read(text);
    } catch (error) {
      seen[name] = `refused: ${error.message}`;
    }
  }
  process.stdout.write(JSON.stringify(seen) + "\n");
}
