// Calls GetSessionEmbedUrl with the input that the first argument holds as JSON, and prints what came of it as JSON:
// {"output": …}, or {"error": {"class", "code", "status"}}. Endpoint, region and credentials come from the environment.
import { GetSessionEmbedUrlCommand, QuickSightClient } from "@aws-sdk/client-quicksight";

const client = new QuickSightClient({ maxAttempts: 1 });
const command = new GetSessionEmbedUrlCommand(JSON.parse(process.argv[2]));
try {
  console.log(JSON.stringify({ output: await client.send(command) }));
} catch (error) {
  console.log(JSON.stringify({ error: { class: error.constructor.name, code: error.name, status: error.$metadata?.httpStatusCode } }));
}
