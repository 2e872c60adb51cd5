// Reads each document with the official AsyncAPI parser. Fails at the first that it does not take
// without a complaint, and also when it takes one that is broken on purpose: then it looks at
// nothing.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

// Advice on what a document should say besides, which depends on where it is published.
const ADVICE = new Set([
  "asyncapi-info-contact",
  "asyncapi-info-contact-properties",
  "asyncapi-info-license",
  "asyncapi-info-license-url",
  "asyncapi-tags",
  "asyncapi3-tags",
  "asyncapi-servers",
  "asyncapi3-servers",
]);

const parser = new Parser();

async function complaints(text) {
  const { document, diagnostics } = await parser.parse(text);
  const told = diagnostics.filter((one) => !ADVICE.has(one.code));
  return { document, told };
}

let failed = 0;
const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("no document was given");
  process.exit(2);
}
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const { document, told } = await complaints(text);
  for (const one of told) {
    console.error(`${file}: ${one.path.join("/")}: ${one.message} (${one.code})`);
  }
  if (told.length > 0 || !document) {
    failed += 1;
    continue;
  }
  const channels = document.allChannels().all().length;
  const operations = document.allOperations().all().length;
  console.log(`${file}: AsyncAPI ${document.version()}, ${channels} channels, ${operations} operations`);

  const breaks = {
    "no title": (api) => delete api.info.title,
    "an action that there is not": (api) => {
      for (const operation of Object.values(api.operations)) operation.action = "shout";
    },
    "a reference to nothing": (api) => {
      for (const operation of Object.values(api.operations)) operation.channel.$ref = "#/channels/no";
    },
    "a payload that is no schema": (api) => {
      for (const message of Object.values(api.components.messages)) message.payload = { type: 5 };
    },
  };
  for (const [what, breakIt] of Object.entries(breaks)) {
    const api = JSON.parse(text);
    if (channels === 0 && what !== "no title") continue;
    breakIt(api);
    const { told } = await complaints(JSON.stringify(api));
    if (told.length === 0) {
      console.error(`${file}: broken on purpose (${what}), and nobody complained`);
      failed += 1;
    }
  }
}
process.exit(failed === 0 ? 0 : 1);
