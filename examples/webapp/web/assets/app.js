"use strict";

// The page's script asks the backend for a fresh URL for each place of the console, embeds it with
// the QuickSight embedding SDK, and shows what the SDK reports. The URL opens once and is a secret:
// it goes from the reply into the frame and nowhere else.

const { brand, consoleOrigin } = document.body.dataset;
const isDemo = "demo" in document.body.dataset;
const byId = (id) => document.getElementById(id);
const links = [...document.querySelectorAll("nav a")];

// Milliseconds until the page says that QuickSight is slow, and until it shows the frame even if
// the browser has not reported that it has loaded.
const patience = { slow: 6000, longest: 30000 };

// Problem is what a person sees instead of the console.
class Problem extends Error {
  constructor({ title, action, reference, link, retry = true }) {
    super(title);
    Object.assign(this, { title, action, reference, link, retry });
  }
}

const notEmbedded = () => new Problem({ title: "The console could not be embedded", action: "Open it again. If it stays so, tell your administrator." });

// The console's error codes that the embedding SDK documents.
const consoleProblems = {
  Forbidden: { title: "This link to the console was used or has expired", action: "It opens once, within five minutes. Open the console again to get a fresh one." },
  Unauthorized: { title: "Your console session has ended", action: "What you saved is kept. Open the console again to go on." },
};

// show sets the state of the page: "loading", "ready" or "problem". Only "ready" shows the console.
function show(state, text) {
  document.body.dataset.state = state;
  byId("status").textContent = text;
  byId("problem").hidden = state !== "problem";
}

// showProblem shows what is wrong. Screen readers read it once: by the alert or by the focus.
function showProblem({ title, action, reference, link, retry }) {
  byId("problem-title").textContent = title;
  byId("problem-action").textContent = action;
  byId("problem-reference").textContent = reference ? `Reference: ${reference}` : "";
  byId("copy").hidden = !reference || retry;
  byId("copy").textContent = "Copy the reference";
  byId("copy").onclick = async () => {
    try {
      await navigator.clipboard.writeText(reference);
      byId("copy").textContent = "Copied";
    } catch {
      byId("copy").textContent = "Not allowed: select it above";
    }
  };
  byId("problem-link").hidden = !link;
  if (link) Object.assign(byId("problem-link"), { href: link, textContent: `Open ${link}` });
  byId("open-again").hidden = !retry || Boolean(link);
  const lost = !document.activeElement || document.activeElement === document.body || byId("console").contains(document.activeElement);
  show("problem", "");
  if (lost) byId("problem-title").focus();
}

async function post(path, body, signal) {
  try {
    return await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: `${brand} cannot be reached`, action: "Check your connection, then open it again." });
  }
}

const channel = new BroadcastChannel("session"); // to the other tabs
function leave() {
  if (isDemo) location.assign(`/sign-in?ended${location.hash}`);
  else location.reload(); // the proxy signs people in
}

async function askForURL(place, signal) {
  const reply = await post("/api/console-url", { place }, signal);
  if (reply.status === 401) {
    leave();
    return new Promise(() => {}); // the page is being left
  }
  const answer = await reply.json().catch(() => ({}));
  if (reply.ok) return answer.embedUrl;
  throw new Problem({ title: "Something went wrong", action: "Open it again in a moment.", ...answer });
}

// isReachable resolves to whether this browser reaches QuickSight and accepts its certificate.
function isReachable() {
  return fetch(`${consoleOrigin}/favicon.ico`, { mode: "no-cors", cache: "no-store", credentials: "omit" }).then(() => true, () => false);
}

function unreachable() {
  if (!isDemo) return new Problem({ title: "Your browser cannot reach QuickSight", action: `Check your connection, and whether your network allows ${consoleOrigin}.` });
  return new Problem({
    title: "Your browser has not accepted the demo's certificate",
    action: "QuickSight runs on this machine with a certificate made at its start. Accept it in the tab that opens: this page then goes on by itself.",
    link: consoleOrigin,
  });
}

// The SDK adds its own invisible frame for its messages. If that frame has loaded the browser's
// error page, it keeps it: after an opening that failed, the next one makes a new context.
let sdkContext, controlFrame;
function context() {
  sdkContext ??= QuickSightEmbedding.createEmbeddingContext({
    onChange: (event, { frame } = {}) => {
      if (event.eventName !== "FRAME_MOUNTED" || !frame) return;
      controlFrame = frame;
      Object.assign(frame, { title: "Messages of QuickSight", tabIndex: -1, ariaHidden: "true" });
    },
  });
  return sdkContext;
}

function clearFrames() {
  byId("frame").replaceChildren();
  if (document.body.dataset.state !== "problem") return;
  controlFrame?.remove();
  sdkContext = controlFrame = undefined;
}

let latest = new AbortController(); // reports of earlier openings are ignored

async function open(link) {
  latest.abort();
  const mine = (latest = new AbortController());
  const timers = [];
  const ifLatest = (fn) => (...args) => mine.signal.aborted || fn(...args);
  mine.signal.addEventListener("abort", () => timers.forEach(clearTimeout));

  const name = link.textContent;
  const fail = ifLatest((problem) => {
    mine.abort();
    console.debug("console:", problem);
    showProblem(problem); // hides the frame and keeps it: the SDK still answers the console
    if (problem.link) waitUntilReachable();
  });
  const opened = ifLatest(() => {
    timers.forEach(clearTimeout);
    if (document.body.dataset.state === "loading") show("ready", `${name} is open.`);
  });

  let isThere; // whether QuickSight can be reached; asked when the frame is mounted
  const onChange = ifLatest(async (event, { frame } = {}) => {
    console.debug("console:", event.eventName);
    switch (event.eventName) {
      case "FRAME_MOUNTED":
        frame.title = `QuickSight console: ${name}`;
        isThere = isReachable();
        if (!(await isThere)) fail(unreachable());
        break;
      case "FRAME_LOADED": // also if the browser shows its own error in the frame
        if (await isThere) opened();
        break;
      default:
        if (event.eventLevel === "ERROR") fail(notEmbedded());
    }
  });
  const onMessage = ifLatest((event) => {
    if (event.eventName !== "ERROR_OCCURRED") return opened();
    const { errorCode } = event.message ?? {};
    fail(new Problem(consoleProblems[errorCode] ?? { title: "QuickSight reports an error", action: `Open the console again. If it stays so, tell your administrator that it was “${errorCode}”.` }));
  });

  byId("title").textContent = name;
  document.title = `${name} · ${brand}`;
  for (const other of links) other === link ? other.setAttribute("aria-current", "page") : other.removeAttribute("aria-current");
  link.scrollIntoView({ block: "nearest", inline: "center" });
  clearFrames();
  show("loading", `Opening ${name}…`);
  timers.push(setTimeout(() => show("loading", "QuickSight is taking longer than usual…"), patience.slow), setTimeout(opened, patience.longest));
  try {
    const url = await askForURL(link.dataset.place, mine.signal);
    const sdk = await context();
    if (mine.signal.aborted) return;
    await sdk.embedConsole({ url, container: byId("frame"), width: "100%", height: "100%", onChange }, { onMessage });
  } catch (problem) {
    fail(problem instanceof Problem ? problem : notEmbedded());
  }
}

const current = () => links.find((link) => link.hash === location.hash) ?? links[0];

// waitUntilReachable opens the console again when the certificate has been accepted.
async function waitUntilReachable() {
  const failed = latest;
  while (latest === failed) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (latest === failed && (await isReachable())) return openAgain();
  }
}

function openAgain() {
  const isHere = byId("console").contains(document.activeElement);
  open(current());
  if (isHere) byId("console").focus(); // the button is gone
}

for (const link of links) {
  link.addEventListener("click", () => {
    if (link.hash === location.hash) open(link); // otherwise the hash changes
  });
}
window.addEventListener("hashchange", () => open(current()));
byId("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash is the place
  byId("console").focus();
});
byId("open-again").addEventListener("click", openAgain);
byId("sign-out")?.addEventListener("click", async () => {
  const reply = await post("/api/sign-out", {}).catch((problem) => problem);
  if (!reply.ok) {
    byId("sign-out-problem").textContent = "You are still signed in: try again.";
    return;
  }
  channel.postMessage("signed out");
  location.assign("/sign-in");
});
channel.addEventListener("message", leave);
open(current());
