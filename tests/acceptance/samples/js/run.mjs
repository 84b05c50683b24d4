// Runs sample scripts one after the other and prints a line of JSON for each.
import { pathToFileURL } from "node:url";

for (const script of process.argv.slice(2)) {
  let error = null;
  try {
    await import(pathToFileURL(script).href);
  } catch (thrown) {
    error = String(thrown?.stack ?? thrown);
  }
  console.log("\x1e" + JSON.stringify({ sample: script, error }));
}
process.exit(0);
