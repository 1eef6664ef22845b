// What the tests of the page need: the programs as processes, an authenticating proxy, and
// browsers.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";

const root = fileURLToPath(new URL("../../", import.meta.url));
const webapp = join(root, "examples/webapp");
const programs = mkdtempSync(join(tmpdir(), "browsers-"));
for (const [cwd, pkg] of [[root, "./cmd/quicksight-local"], [webapp, "."]]) {
  execFileSync("go", ["build", "-o", programs + "/", pkg], { cwd, stdio: "inherit" });
}
process.on("exit", () => rmSync(programs, { recursive: true }));

export const account = "111122223333";
export const role = `arn:aws:iam::${account}:role/embed-console`;
export const arn = (name) => `arn:aws:quicksight:us-east-1:${account}:user/default/${name}`;

// start runs a program and returns its lines, its log, and a function that stops it.
function start(t, name, args, env = {}) {
  const child = spawn(join(programs, name), args, {
    env: { PATH: process.env.PATH, HOME: programs, AWS_EC2_METADATA_DISABLED: "true", ...env },
  });
  const program = { log: "" };
  child.stderr.on("data", (text) => (program.log += text));
  const exited = new Promise((resolve) => child.on("exit", resolve));
  program.stop = async () => {
    child.kill("SIGTERM");
    assert.equal(await exited, 0, `${name} stops cleanly: ${program.log}`);
  };
  t.after(() => child.exitCode === null && program.stop());
  program.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return program;
}

// startQuickSight runs quicksight-local. Its control does what the server's methods do in Go.
export async function startQuickSight(t, ...args) {
  const users = ["jane", "mateo", "embed-console/jane", "embed-console/mateo"].flatMap((name) => ["-user", arn(name)]);
  const program = start(t, "quicksight-local", [
    "-json", "-tls", "-addr", "127.0.0.1:0", "-role", role, "-dashboard", "sales-overview", ...users,
    ...(args.includes("-domain") ? [] : ["-domain", "http://localhost:*"]), ...args,
  ]);
  const started = JSON.parse((await program.lines.next()).value);
  const ca = readFileSync(started.certificateFile);
  const control = (method, path, body) => new Promise((resolve, reject) => {
    const request = https.request(started.controlUrl + path, { method, ca, agent: false }, async (reply) => {
      const value = JSON.parse((await reply.toArray()).join(""));
      reply.statusCode === 200 ? resolve(value) : reject(new Error(value.error));
    });
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
  return {
    ...started, program, control,
    inject: (fault, more) => control("POST", "faults", { fault, ...more }),
    advance: (advance) => control("POST", "clock", { advance }),
    // issued are the requests that got a URL.
    issued: async () => (await control("GET", "requests")).requests.filter((r) => r.operation === "GetSessionEmbedUrl" && r.status === 200),
    requests: async () => (await control("GET", "requests")).requests,
  };
}

const sdk = ["-sdk", join(webapp, "node_modules/amazon-quicksight-embedding-sdk/dist/quicksight-embedding-js-sdk.min.js")];

// startPage runs the page as with AWS, behind a proxy that reads the user from a cookie and sends
// the name in a header.
export async function startPage(t, quickSight, ...args) {
  let target;
  const referers = [];
  const proxy = http.createServer((request, reply) => {
    const user = /proxy_user=(\w+)/.exec(request.headers.cookie)?.[1];
    const url = new URL(request.url, "http://localhost");
    if (url.pathname === "/proxy/sign-in") {
      reply.writeHead(303, { "Set-Cookie": `proxy_user=${url.searchParams.get("user")}; Path=/; HttpOnly`, Location: "/" }).end();
      return;
    }
    if (url.pathname === "/proxy/sign-out") {
      reply.writeHead(200, { "Set-Cookie": "proxy_user=; Path=/; Max-Age=0" }).end("signed out");
      return;
    }
    if (request.headers.referer) referers.push(request.headers.referer);
    const headers = { ...request.headers, ...(user && { "x-user": user }) };
    const forwarded = http.request(target + request.url, { method: request.method, headers, agent: false }, (answer) => {
      reply.writeHead(answer.statusCode, answer.headers);
      answer.pipe(reply);
    });
    forwarded.on("error", () => reply.destroy());
    request.pipe(forwarded);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const origin = `http://localhost:${proxy.address().port}`;
  const port = await freePort();
  target = `http://127.0.0.1:${port}`;
  const program = start(t, "webapp", [
    ...sdk, "-addr", `127.0.0.1:${port}`, "-origin", origin, "-aws", "-account", account, "-user-header", "X-User",
    "-sign-out-url", "/proxy/sign-out", "-role-arn", role, "-dashboard", "sales-overview", "-dashboard-name", "Sales overview",
    "-console-origin", quickSight.url, ...args,
  ], { ...quickSight.environment, AWS_ENDPOINT_URL: quickSight.url });
  await program.lines.next();
  return { url: origin, signIn: (user) => `${origin}/proxy/sign-in?user=${user}`, program, referers };
}

function freePort() {
  return new Promise((resolve) => {
    const server = http.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// startDemo runs the page as the README starts it.
export async function startDemo(t, ...args) {
  const program = start(t, "webapp", [...sdk, "-addr", "127.0.0.1:0", "-quicksight-addr", "127.0.0.1:0", ...args]);
  const url = (await program.lines.next()).value.split(/\s+/)[2];
  const quickSight = (await program.lines.next()).value.split(/\s+/)[1];
  return { url, quickSight, program };
}

// In Chromium, frames of other sites share the page's process, because puppeteer sometimes loses
// one that has its own. In Firefox they have their own, as in people's browsers.
const oneProcess = ["--disable-site-isolation-trials", "--disable-features=IsolateOrigins,site-per-process"];

export const browsers = {
  chromium: { browser: "chrome", executablePath: "/usr/bin/chromium", args: ["--no-sandbox", ...oneProcess] },
  firefox: { browser: "firefox", executablePath: "/usr/bin/firefox-esr" },
};

export const launch = (name, options) => puppeteer.launch({ ...browsers[name], headless: true, ...options });

// newTab opens a tab that shares nothing with others, and keeps the errors of its page and console.
export async function newTab(t, browser, { width = 1280, height = 800 } = {}) {
  const context = await browser.createBrowserContext();
  t.after(() => browser.connected && context.close());
  const page = await context.newPage();
  await page.setViewport({ width, height });
  page.setDefaultTimeout(30_000);
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  return page;
}

export const text = (page, selector) => page.$eval(selector, (element) => element.innerText.trim());
export const waitForState = (page, state) => page.waitForFunction((wanted) => document.body.dataset.state === wanted, {}, state);
export const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
export const choose = (page, place) => page.click(`[data-place=${place}]`);

// consoleFrame waits for the console with a title, and returns its frame.
export async function consoleFrame(page, quickSightURL, title) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    for (const frame of page.frames()) {
      if (!frame.url().startsWith(quickSightURL + "/embedding/")) continue;
      const shown = await frame.evaluate(() => document.querySelector("h2")?.textContent).catch(() => undefined);
      if (shown === title) return frame;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no console with ${title}; the page shows ${await text(page, "body")}`);
}

export async function screenshot(page, name) {
  const directory = process.env.WEBAPP_SCREENSHOTS;
  if (!directory) return;
  mkdirSync(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

// acceptCertificate opens a URL in a new tab, and accepts its certificate as a person does.
export async function acceptCertificate(page, name, url) {
  const tab = await page.browserContext().newPage();
  await tab.goto(url).catch(() => {}); // this fails
  if (name === "chromium") {
    await tab.waitForFunction(() => document.documentElement.innerText.includes("ERR_CERT_AUTHORITY_INVALID"));
    await tab.keyboard.type("thisisunsafe"); // the word that accepts it
  } else {
    await clickButton(tab, "Advanced");
    // The button of the warning is not active at once.
    for (let left = 100; left > 0 && (await tab.title()) !== "QuickSight (embedtest)"; left--) {
      await clickButton(tab, "Proceed").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  await tab.waitForFunction(() => document.title === "QuickSight (embedtest)");
  await tab.close();
}

// clickButton clicks the button with a label, also inside custom elements.
async function clickButton(tab, label) {
  const found = await tab.waitForFunction((label) => {
    const search = (root) => {
      for (const element of root.querySelectorAll("*")) {
        const inside = element.shadowRoot && search(element.shadowRoot);
        if (inside) return inside;
        if (element.matches("button, moz-button") && element.checkVisibility() && element.innerText.startsWith(label)) return element;
      }
    };
    const button = search(document);
    button?.scrollIntoView({ block: "center" });
    const { x, y, width, height } = button?.getBoundingClientRect() ?? {};
    return width > 0 && [x + width / 2, y + height / 2];
  }, { timeout: 5000 }, label);
  await tab.mouse.click(...(await found.jsonValue()));
}
