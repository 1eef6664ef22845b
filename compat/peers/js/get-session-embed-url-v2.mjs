// The same as get-session-embed-url.mjs with version 2 of the SDK, which needs the endpoint in
// code.
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const { default: AWS } = await import("aws-sdk");

const client = new AWS.QuickSight({ endpoint: process.env.AWS_ENDPOINT_URL_QUICKSIGHT, region: process.env.AWS_REGION, maxRetries: 0 });
const answers = [];
for (const input of JSON.parse(process.argv[2])) {
  try {
    const { EmbedUrl } = await client.getSessionEmbedUrl(input).promise();
    answers.push({ EmbedUrl });
  } catch (error) {
    answers.push({ ErrorCode: error.code, Class: error.code }); // version 2 has no classes
  }
}
console.log(JSON.stringify(answers));
