// Tests of the page of examples/webapp, in Chromium and in Firefox.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { acceptCertificate, arn, browsers, choose, consoleFrame, focused, launch, newTab, screenshot, startDemo, startPage, startQuickSight, text, waitForState } from "./setup.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// violations returns what axe finds in the page, without its frames.
async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { iframes: false }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

const places = [
  ["analyses", "Analyses", "/start/analyses", "Analyses"],
  ["dashboards", "Dashboards", "/start/dashboards", "Dashboards"],
  ["favorites", "Favorites", "/start/favorites", "Favorites"],
  ["dashboard", "Sales overview", "/dashboards/sales-overview", "Dashboard sales-overview"],
  ["start", "Start", "/start", "Start"],
  ["start", "Start", "/start", "Start"], // once more
];

for (const name of Object.keys(browsers)) {
  describe(name, () => {
    let browser;
    before(async () => (browser = await launch(name, { acceptInsecureCerts: true })));
    after(() => browser.close());

    // open signs a user in, at a page whose quicksight-local has flags.
    async function open(t, { user = "jane", flags = [], args = [], ...screen } = {}) {
      const quickSight = await startQuickSight(t, ...flags);
      const backend = await startPage(t, quickSight, ...args);
      const page = await newTab(t, browser, screen);
      await page.goto(backend.signIn(user));
      return { quickSight, backend, page };
    }

    for (const [model, who] of [["registered", "jane"], ["role", "embed-console/jane"]]) {
      test(`a user sees the console, and moves about: ${model}`, async (t) => {
        const { quickSight, page } = await open(t, { args: ["-identity", model] });
        await waitForState(page, "ready");
        const frame = await consoleFrame(page, quickSight.url, "Start");
        assert.match(await text(frame, "main"), new RegExp(arn(who)));
        assert.equal(await text(page, "#status"), "Start is open.");
        assert.equal(await page.$eval("#frame iframe", (frame) => frame.title), "QuickSight console: Start");
        for (const [i, [key, label, entryPoint, title]] of places.entries()) {
          await choose(page, key);
          await consoleFrame(page, quickSight.url, title);
          await waitForState(page, "ready");
          assert.equal(await text(page, "h1"), label);
          assert.equal(await text(page, "nav [aria-current=page]"), label);
          assert.equal((await page.$$("#frame iframe")).length, 1);
          const issued = await quickSight.issued();
          assert.equal(issued.length, i + 2, "each has a fresh URL");
          assert.equal(issued[i + 1].input.EntryPoint, entryPoint);
          assert.equal(issued[i + 1].userArn, arn(who));
        }
        const assumed = (await quickSight.requests()).filter((r) => r.operation === "AssumeRole");
        assert.equal(assumed.length, model === "role" ? 1 : 0, "STS is asked once");
        await page.goBack();
        await consoleFrame(page, quickSight.url, "Dashboard sales-overview");
        await waitForState(page, "ready");
        await page.reload();
        await consoleFrame(page, quickSight.url, "Dashboard sales-overview");
        assert.equal(await text(page, "h1"), "Sales overview");
        assert.deepEqual(page.problems, []);
      });
    }

    test("clicks that overtake one another: the last one is shown", async (t) => {
      const { quickSight, page } = await open(t);
      await waitForState(page, "ready");
      await quickSight.inject("Delay", { duration: "500ms" });
      await page.evaluate(() => ["analyses", "dashboards", "favorites"].forEach((key) => document.querySelector(`[data-place=${key}]`).click()));
      await consoleFrame(page, quickSight.url, "Favorites");
      await waitForState(page, "ready");
      assert.equal(await text(page, "#status"), "Favorites is open.");
      assert.equal((await page.$$("#frame iframe")).length, 1);
    });

    test("a URL that was used", async (t) => {
      const { quickSight, page } = await open(t);
      await waitForState(page, "ready");
      const frame = await consoleFrame(page, quickSight.url, "Start");
      await frame.evaluate(() => location.reload()).catch(() => {}); // only the frame
      await waitForState(page, "problem");
      assert.equal(await text(page, "#problem h2"), "This link to the console was used or has expired");
      assert.equal(await page.$eval("#frame iframe", (frame) => frame.checkVisibility({ visibilityProperty: true })), false);
      await screenshot(page, `${name}-used`);
      await page.click("#open-again");
      await waitForState(page, "ready");
      assert.equal(await focused(page), "console", "the focus stays in the page");
      await consoleFrame(page, quickSight.url, "Start");
    });

    test("a URL that has expired", async (t) => {
      const { quickSight, backend, page } = await open(t);
      await waitForState(page, "ready");
      const { embedUrl } = await page.evaluate(async () => (await fetch("/api/console-url", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: `{"place":"analyses"}`,
      })).json());
      await quickSight.advance("6m");
      await quickSight.inject("Reply", { status: 200, body: JSON.stringify({ EmbedUrl: embedUrl }) });
      await choose(page, "analyses");
      await waitForState(page, "problem");
      assert.equal(await text(page, "#problem h2"), "This link to the console was used or has expired");
      assert.ok(!backend.program.log.includes("code="), "the log has no URL");
    });

    test("a session that ends", async (t) => {
      const { quickSight, page } = await open(t, { args: ["-lifetime", "15"] });
      await waitForState(page, "ready");
      const frame = await consoleFrame(page, quickSight.url, "Start");
      await frame.waitForFunction(() => /Time left\n14m \d+s/.test(document.body.innerText));
      await frame.focus("nav button");
      await quickSight.advance("16m");
      await waitForState(page, "problem");
      assert.equal(await text(page, "#problem h2"), "Your console session has ended");
      assert.equal(await focused(page), "problem-title", "the focus was in the frame");
      assert.equal(await page.$$eval("#problem button, #problem a", (all) => all.filter((e) => e.checkVisibility()).length), 1, "one thing to do");
      await screenshot(page, `${name}-session-ended`);
      await page.click("#open-again");
      await waitForState(page, "ready");
    });

    test("a slow console is slow, not broken", async (t) => {
      const { quickSight, page } = await open(t, { flags: ["-console-delay", "8s"] });
      await page.waitForFunction(() => document.querySelector("#status").textContent === "QuickSight is taking longer than usual…");
      await screenshot(page, `${name}-slow`);
      await waitForState(page, "ready");
      await consoleFrame(page, quickSight.url, "Start");
      assert.equal(await page.$eval("#problem", (problem) => problem.checkVisibility()), false);
    });

    test("a silent console is open", async (t) => {
      const { quickSight, page } = await open(t, { flags: ["-console-silent"] });
      await waitForState(page, "ready");
      await consoleFrame(page, quickSight.url, "Start");
      await choose(page, "dashboards");
      await waitForState(page, "ready");
      await page.click("#help summary");
      assert.match(await text(page, "#help p"), /list of domains that may embed it/);
      assert.equal(await page.$eval("#problem", (problem) => problem.checkVisibility()), false);
    });

    test("the console posts its navigation, and nothing when it has loaded", async (t) => {
      const { quickSight, backend, page } = await open(t);
      await waitForState(page, "ready");
      await page.evaluateOnNewDocument(() => {
        window.posted = [];
        addEventListener("message", (event) => window.posted.push(event.data.eventName));
      });
      await page.goto(backend.url);
      await waitForState(page, "ready");
      const frame = await consoleFrame(page, quickSight.url, "Start");
      await frame.evaluate(() => [...document.querySelectorAll("nav button")].find((button) => button.textContent === "Favorites").click());
      await page.waitForFunction(() => window.posted.join() === "PAGE_NAVIGATION");
    });

    for (const [trouble, { inject, flags, args, user, title, action, retry = false, log }] of Object.entries({
      "throttled": { inject: ["Throttle", { always: true }], title: "QuickSight is busy", action: "Wait a moment, then open it again.", retry: true, log: "ThrottlingException" },
      "no connection": { inject: ["Reset", { always: true }], title: "QuickSight cannot be reached", action: "Try again in a few minutes.", retry: true, log: "connection reset by peer" },
      "no such dashboard": { inject: ["Fail", { code: "ResourceNotFoundException", always: true }], title: "That page of QuickSight does not exist", action: "Choose another page", log: "ResourceNotFoundException" },
      "not allowed": { inject: ["Fail", { code: "AccessDeniedException", always: true }], title: "This application may not open QuickSight for you", action: "allow quicksight:GetSessionEmbedUrl", log: "AccessDeniedException" },
      "keys that AWS does not know": { inject: ["Fail", { code: "UnrecognizedClientException", always: true }], title: "AWS does not accept the credentials of this application", action: "Send the reference to the administrator", log: "UnrecognizedClientException" },
      "service down": { inject: ["Status", { status: 503, always: true }], title: "QuickSight cannot be reached", action: "Try again in a few minutes.", retry: true, log: "StatusCode: 503" },
      "user unknown": { user: "noor", title: "Your QuickSight user is not registered in this account", action: "This application looked for you in us-east-1.", log: "QuickSightUserNotFoundException" },
      "role session unknown": { args: ["-identity", "role"], user: "noor", title: "Your QuickSight user is not registered in this account", action: "Ask your QuickSight administrator to register you", log: "QuickSightUserNotFoundException" },
      "wrong edition": { flags: ["-edition", "STANDARD"], title: "The edition of this QuickSight account cannot be embedded", action: "upgrade the account to the Enterprise edition", log: "UnsupportedUserEditionException" },
      "denied": { flags: ["-denied", "quicksight:GetAuthCode"], title: "This application may not open QuickSight for you", action: "allow quicksight:GetAuthCode", log: "not authorized to perform: quicksight:GetAuthCode" },
      "role that may not be assumed": { flags: ["-denied", "sts:AssumeRole"], args: ["-identity", "role"], title: "AWS gave no credentials for you", action: "whether its role for QuickSight may be assumed", retry: true, log: "AccessDenied" },
    })) {
      test(`${trouble}: what is wrong, and what can be done`, async (t) => {
        const quickSight = await startQuickSight(t, ...(flags ?? []));
        if (inject) await quickSight.inject(...inject);
        const backend = await startPage(t, quickSight, ...(args ?? []));
        const page = await newTab(t, browser);
        await page.goto(backend.signIn(user ?? "jane"));
        await waitForState(page, "problem");
        assert.equal(await text(page, "#problem h2"), title);
        assert.ok((await text(page, "#problem-action")).includes(action), await text(page, "#problem-action"));
        assert.equal(await text(page, "#status"), "", "it is said once");
        assert.equal(await page.$eval("#open-again", (button) => button.checkVisibility()), retry);
        assert.equal(await page.$eval("#copy", (button) => button.checkVisibility()), !retry);
        const reference = (await text(page, "#problem-reference")).replace("Reference: ", "");
        const logged = backend.program.log.split("\n").find((line) => line.includes(`msg="no embed URL" request=${reference} `));
        assert.ok(logged.includes(log), logged);
        assert.doesNotMatch(await text(page, "body"), /Exception/, "that is for the log");
        assert.deepEqual(await violations(page), []);
        await screenshot(page, `${name}-${trouble.replaceAll(" ", "-")}`);
        if (!retry) {
          await page.click("#copy");
          await page.waitForFunction(() => document.querySelector("#copy").textContent === "Copied");
        }
        if (!retry || !inject) return;
        await quickSight.control("DELETE", "faults");
        await page.click("#open-again");
        await waitForState(page, "ready");
      });
    }

    test("a domain that may not embed: the advice is at hand", async (t) => {
      const { page } = await open(t, { flags: ["-domain", "https://app.example.com"] });
      await waitForState(page, "ready");
      assert.ok(await page.$eval("#help", (help) => help.checkVisibility()));
    });

    test("a backend that is gone", async (t) => {
      const { backend, page } = await open(t);
      await waitForState(page, "ready");
      await backend.program.stop();
      await choose(page, "dashboards");
      await waitForState(page, "problem");
      assert.equal(await text(page, "#problem h2"), "Acme Insights cannot be reached");
    });

    test("a sign-in of the proxy that has ended", async (t) => {
      const { page } = await open(t);
      await waitForState(page, "ready");
      await page.evaluate(() => fetch("/proxy/sign-out"));
      await choose(page, "favorites");
      await page.waitForFunction(() => document.body.innerText.includes("You are not signed in"));
    });

    for (const [model, prefix, signers] of [["registered", "", 1], ["role", "embed-console/", 2]]) test(`two users at once see their own sessions: ${model}`, async (t) => {
      const { quickSight, backend, page: janes } = await open(t, { args: ["-identity", model] });
      const mateos = await newTab(t, browser);
      await mateos.goto(backend.signIn("mateo"));
      for (const [key, title] of [["dashboards", "Dashboards"], ["start", "Start"]]) {
        for (const [page, me, other] of [[janes, "jane", "mateo"], [mateos, "mateo", "jane"]]) {
          await choose(page, key);
          const shown = await text(await consoleFrame(page, quickSight.url, title), "main");
          assert.ok(shown.includes(arn(prefix + me)) && !shown.includes(other), shown);
          assert.equal(await text(page, "#user"), me);
        }
      }
      assert.equal(new Set((await quickSight.issued()).map((r) => r.accessKeyId)).size, signers, "who signed");
    });

    test("the embed URL stays a secret", async (t) => {
      const { quickSight, backend, page } = await open(t);
      await waitForState(page, "ready");
      await choose(page, "dashboards");
      const frame = await consoleFrame(page, quickSight.url, "Dashboards");
      assert.equal(await frame.evaluate(() => document.referrer), "");
      assert.deepEqual(backend.referers, []);
      assert.doesNotMatch(await page.evaluate(() => document.documentElement.outerHTML.replace(/<iframe[^>]*>/g, "")), /code=/);
      assert.match(backend.program.log, /embed URL issued/);
      assert.doesNotMatch(backend.program.log, /code=|\/embedding\/|Signature|ASIA|session=/);
    });

    test("everything works by keyboard", async (t) => {
      const { quickSight, page } = await open(t);
      await page.evaluate(() => (location.hash = "#favorites"));
      await consoleFrame(page, quickSight.url, "Favorites");
      await waitForState(page, "ready");
      await page.focus("#skip");
      await page.keyboard.press("Enter");
      assert.equal(await focused(page), "console");
      assert.equal(await page.evaluate(() => location.hash), "#favorites", "skipping leaves the place");
      await page.focus("#skip");
      for (const want of ["Start", "Analyses"]) {
        await page.keyboard.press("Tab");
        assert.equal(await focused(page), want);
        assert.ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle === "solid"), "the focus is seen");
      }
      await page.keyboard.press("Enter");
      await consoleFrame(page, quickSight.url, "Analyses");
      await waitForState(page, "ready");
      assert.equal(await focused(page), "Analyses");
      await quickSight.advance("11h");
      await waitForState(page, "problem");
      assert.equal(await focused(page), "Analyses", "the menu keeps it");
      await page.focus("#open-again");
      await page.keyboard.press("Enter");
      await waitForState(page, "ready");
      // The console's own request about its ended session fails with 410.
      assert.deepEqual(page.problems.filter((problem) => !problem.endsWith("410 (Gone)")), []);
    });

    for (const [screen, { width, height, rest }] of Object.entries({
      "desktop": { width: 1280, height: 800 }, "tablet": { width: 820, height: 1180 },
      "phone": { width: 390, height: 844, rest: 120 }, "small phone": { width: 320, height: 568, rest: 120 },
      "400% zoom": { width: 320, height: 200 },
    })) {
      test(`the layout: ${screen}`, async (t) => {
        const { quickSight, page } = await open(t, { width, height });
        await page.evaluate(() => (location.hash = "#dashboard"));
        await consoleFrame(page, quickSight.url, "Dashboard sales-overview");
        await waitForState(page, "ready");
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing is wider than the window");
        const tab = await page.$eval("nav [aria-current=page]", (link) => link.getBoundingClientRect().toJSON());
        assert.ok(tab.left >= -1 && tab.right <= width + 1, "the tab of the place is on the screen");
        const frame = await page.$eval("#frame iframe", (frame) => frame.getBoundingClientRect().toJSON());
        assert.ok(frame.width >= 290 && frame.height >= 300, JSON.stringify(frame));
        if (rest) assert.ok(height - frame.height <= rest, `${height - frame.height} pixels are not the console's`);
        if (screen !== "400% zoom") assert.ok(frame.bottom <= height, "the frame is in the window");
        assert.ok(await page.$$eval("button, nav a", (all) => all.every((e) => !e.checkVisibility() || e.getBoundingClientRect().height < 50)), "each on one line");
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(await violations(await consoleFrame(page, quickSight.url, "Dashboard sales-overview")), [], "in the console");
        await screenshot(page, `${name}-${screen.replace(" ", "-")}`);
      });
    }

    test("in the dark", async (t) => {
      const dark = await launch(name, { acceptInsecureCerts: true, extraPrefsFirefox: { "layout.css.prefers-color-scheme.content-override": 0 } });
      t.after(() => dark.close());
      const quickSight = await startQuickSight(t);
      const backend = await startPage(t, quickSight);
      const page = await newTab(t, dark);
      if (name === "chromium") await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
      await page.goto(backend.signIn("jane"));
      await waitForState(page, "ready");
      assert.ok(await page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches));
      const frame = await consoleFrame(page, quickSight.url, "Start");
      assert.equal(await frame.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(16, 22, 30)", "the console follows");
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(await violations(frame), [], "in the console");
      await screenshot(page, `${name}-dark`);
      await quickSight.advance("11h");
      await waitForState(page, "problem");
      assert.deepEqual(await violations(page), []);
    });

    test("a browser that does not reach QuickSight", async (t) => {
      const strict = await launch(name);
      const quickSight = await startQuickSight(t);
      const backend = await startPage(t, quickSight);
      const page = await newTab(t, strict);
      t.after(() => strict.close());
      await page.goto(backend.signIn("jane"));
      await waitForState(page, "problem");
      assert.equal(await text(page, "#problem h2"), "Your browser cannot reach QuickSight");
      assert.ok((await text(page, "#problem-action")).includes(quickSight.url));
    });

    test("the demo: one certificate is accepted, and the page goes on by itself", async (t) => {
      const strict = await launch(name);
      const demo = await startDemo(t);
      const page = await newTab(t, strict);
      t.after(() => strict.close());
      await page.goto(demo.url);
      await page.type("#user", "jane");
      await page.type("#password", "demo");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.body.dataset.state === "problem");
      assert.equal(await text(page, "#problem h2"), "Your browser has not accepted the demo's certificate");
      assert.equal(await text(page, "#problem-link"), `Open ${demo.quickSight}`);
      assert.equal(await page.$eval("#open-again", (button) => button.checkVisibility()), false, "the link is the button");
      assert.deepEqual(await violations(page), []);
      await screenshot(page, `${name}-certificate`);
      await acceptCertificate(page, name, demo.quickSight);
      await page.bringToFront();
      await waitForState(page, "ready");
      await consoleFrame(page, demo.quickSight, "Start");
      for (const [key, , , title] of places) {
        const took = await page.evaluate((key) => new Promise((resolve) => {
          const start = performance.now();
          document.querySelector(`[data-place=${key}]`).click();
          setTimeout(function look() {
            if (document.body.dataset.state === "ready") resolve(performance.now() - start);
            else setTimeout(look, 5);
          });
        }), key);
        await consoleFrame(page, demo.quickSight, title);
        assert.ok(took < 1000, `${key} took ${took} ms: nothing is left of the browser's error page`);
      }
    });

    test("text follows the browser's font size", async (t) => {
      const { page } = await open(t);
      await waitForState(page, "ready");
      const size = () => page.$eval("nav a", (link) => parseFloat(getComputedStyle(link).fontSize));
      const before = await size();
      await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
      assert.equal(await size(), 2 * before);
    });

    test("the demo: signing in and out", async (t) => {
      const demo = await startDemo(t);
      const page = await newTab(t, browser);
      await page.goto(`${demo.url}/#dashboards`);
      assert.match(await text(page, "main"), /sign in as jane or mateo or noor/);
      assert.deepEqual(await violations(page), []);
      await page.type("#user", "jane");
      await page.type("#password", "guessed");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.querySelector("[role=alert]").innerText);
      assert.equal(await text(page, "[role=alert]"), "The user name or password is not right. Check both and try again.");
      await page.waitForFunction(() => document.activeElement.id === "password");
      await screenshot(page, `${name}-sign-in-problem`);
      await page.keyboard.type("demo"); // replaces the selected one
      await page.keyboard.press("Enter");
      await consoleFrame(page, demo.quickSight, "Dashboards");
      await waitForState(page, "ready");

      const other = await page.browserContext().newPage();
      await other.goto(demo.url);
      await waitForState(other, "ready");
      await page.bringToFront();
      await page.click("#sign-out");
      await page.waitForFunction(() => location.pathname === "/sign-in");
      await other.waitForFunction(() => location.pathname === "/sign-in");
      assert.match(await text(other, "#ended"), /You are signed out/, "the other tab too");
    });

    test("the demo: a session that ended elsewhere is told, and comes back to its place", async (t) => {
      const demo = await startDemo(t);
      const page = await newTab(t, browser);
      const signIn = async () => {
        await page.waitForSelector("#user");
        await page.type("#user", "jane");
        await page.type("#password", "demo");
        await page.keyboard.press("Enter");
      };
      await page.goto(demo.url);
      await signIn();
      await page.waitForFunction(() => document.body.dataset.state === "ready");
      await page.evaluate(() => fetch("/api/sign-out", { method: "POST", headers: { "Content-Type": "application/json" } }));
      await choose(page, "favorites");
      await page.waitForFunction(() => location.pathname === "/sign-in" && location.hash === "#favorites");
      await page.waitForSelector("#ended");
      await signIn();
      await consoleFrame(page, demo.quickSight, "Favorites");
    });

    test("the demo: a failed sign-out is said", async (t) => {
      const demo = await startDemo(t);
      const page = await newTab(t, browser);
      await page.goto(demo.url);
      await page.type("#user", "jane");
      await page.type("#password", "demo");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.body.dataset.state === "ready");
      await demo.program.stop();
      await page.click("#sign-out");
      await page.waitForFunction(() => document.querySelector("#sign-out-problem").innerText === "You are still signed in: try again.");
    });
  });
}
