// Tests of code that asks QuickSight for embed URLs, with quicksight-local instead of AWS.
//
//   go install example.com/quicksightembed/cmd/quicksight-local@latest
//   node --test quicksight-local.test.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, beforeEach, test } from "node:test";
import { GetSessionEmbedUrlCommand, QuickSightClient, ThrottlingException } from "@aws-sdk/client-quicksight";

const jane = "arn:aws:quicksight:us-east-1:111122223333:user/default/jane";
const bob = "arn:aws:quicksight:us-east-1:111122223333:user/default/bob";

let server, start, client;

before(async () => {
  server = spawn("quicksight-local", ["-json", "-addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: server.stdout })) {
    start = JSON.parse(line);
    break;
  }
  client = new QuickSightClient({
    endpoint: start.url,
    region: start.region,
    credentials: { accessKeyId: start.accessKeyId, secretAccessKey: start.secretAccessKey },
    maxAttempts: 2,
  });
});
after(() => server.kill());
beforeEach(() => control("POST", "reset"));

async function control(method, path, body) {
  const reply = await fetch(start.controlUrl + path, { method, body: body && JSON.stringify(body) });
  const value = await reply.json();
  assert.ok(reply.ok, value.error);
  return value;
}

async function embedURL(user) {
  const out = await client.send(new GetSessionEmbedUrlCommand({ AwsAccountId: "111122223333", UserArn: user }));
  return out.EmbedUrl;
}

test("a retry overcomes a failure", async () => {
  await control("POST", "faults", { fault: "Status", status: 503 });
  assert.match(await embedURL(jane), /\/embedding\//);
  const { requests } = await control("GET", "requests");
  assert.deepEqual(requests.map((request) => request.status), [503, 200]);
});

test("a URL expires", async () => {
  const url = await embedURL(jane);
  await control("POST", "clock", { advance: "6m" });
  assert.equal((await fetch(url)).status, 410);
});

test("a throttled user leaves others alone", async () => {
  await control("POST", "faults", { fault: "Throttle", user: jane, always: true });
  await assert.rejects(embedURL(jane), ThrottlingException);
  assert.match(await embedURL(bob), /\/embedding\//);
});
