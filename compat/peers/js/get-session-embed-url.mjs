// Calls GetSessionEmbedUrl with each of the inputs that the first argument has as JSON, and prints
// what came of them as JSON: EmbedUrl, or ErrorCode and Class. Endpoint, region and credentials
// come from the environment.
import { GetSessionEmbedUrlCommand, QuickSightClient } from "@aws-sdk/client-quicksight";

const client = new QuickSightClient({ maxAttempts: 1 });
const answers = [];
for (const input of JSON.parse(process.argv[2])) {
  try {
    const { EmbedUrl } = await client.send(new GetSessionEmbedUrlCommand(input));
    answers.push({ EmbedUrl });
  } catch (error) {
    answers.push({ ErrorCode: error.name, Class: error.constructor.name });
  }
}
console.log(JSON.stringify(answers));
