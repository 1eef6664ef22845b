// Calls GetSessionEmbedUrl for each input of a JSON array, its first argument, and prints the
// results as JSON: EmbedUrl, or ErrorCode and Class. Endpoint, region and credentials come from the
// environment.
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
