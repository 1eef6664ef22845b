"use strict";

// The page's script: asks the backend for a fresh URL for each place of the console, embeds it with the QuickSight embedding
// SDK, and shows what that reports. The URL opens once and is a secret: it goes from the reply into the frame and nowhere else.

const { origin, consoleOrigin } = document.body.dataset;
const isLocal = "local" in document.body.dataset;

const byId = (id) => document.getElementById(id);
const links = [...document.querySelectorAll("nav a")];

// How long, in milliseconds, a frame may take to load before the page asks whether QuickSight can be
// reached, and how long a console may stay silent before a line says what is wrong if it shows nothing.
const patience = { unloaded: 20000, silent: 5000 };

// Problem is what a person sees instead of the console.
class Problem extends Error {
  constructor({ title, action, reference, link }) {
    super(title);
    Object.assign(this, { title, action, reference, link });
  }
}

// show puts the page into a state: "loading"; "ready"; or "problem", without a console.
function show(state, text) {
  document.body.dataset.state = state;
  byId("status").textContent = text;
  byId("problem").hidden = state !== "problem";
  byId("hint").hidden = true;
}

function showProblem({ title, action, reference, link }) {
  byId("problem-title").textContent = title;
  byId("problem-action").textContent = action;
  byId("problem-reference").textContent = reference ? `Reference for your administrator: ${reference}` : "";
  byId("problem-reference").hidden = !reference;
  byId("problem-link").hidden = !link;
  if (link) {
    Object.assign(byId("problem-link").firstElementChild, { href: link.href, textContent: link.text });
  }
  show("problem", `${title}.`);
}

function markStep(name) {
  document.querySelector(`#steps [data-step=${name}]`).dataset.done = "";
}

function clearSteps() {
  for (const step of byId("steps").children) delete step.dataset.done;
}

async function post(path, body) {
  try {
    return await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Problem({ title: "Acme Insights cannot be reached", action: "Check your connection, then open it again." });
  }
}

async function askForURL(place) {
  const reply = await post("/api/console-url", { place });
  if (reply.status === 401) {
    location.assign("/sign-in" + location.hash);
    return new Promise(() => {}); // the page is being left
  }
  const answer = await reply.json().catch(() => ({}));
  if (reply.ok) return answer.embedUrl;
  throw new Problem({ title: answer.title ?? "Something went wrong", action: answer.action ?? "Open it again in a moment.", reference: answer.reference });
}

// What the embedding SDK documents as the console's error codes.
const consoleProblems = {
  Forbidden: { title: "This link to the console was used or has expired", action: "It opens once, within five minutes. Open the console again to get a fresh one." },
  Unauthorized: { title: "Your console session has ended", action: "What you saved is kept. Open the console again to go on." },
};

// whyUnseen returns why this browser does not show QuickSight, or undefined if it can: a console that
// works says nothing, so QuickSight is open if its frame has loaded and its origin can be reached.
async function whyUnseen() {
  const isReachable = await fetch(`${consoleOrigin}/favicon.ico`, { mode: "no-cors", cache: "no-store", credentials: "omit" }).then(() => true, () => false);
  if (isReachable && isLocal && location.origin !== origin) {
    return {
      title: "QuickSight does not show itself on this domain",
      action: `${location.origin} is not on the list of domains that may embed QuickSight. This page is meant to be opened at:`,
      link: { href: origin, text: origin },
    };
  }
  if (isReachable) return undefined;
  if (isLocal) {
    return {
      title: "Your browser has not accepted the local certificate",
      action: "QuickSight runs on this machine with a certificate made at its start. Open it once in a tab, accept the certificate there, come back and open the console again:",
      link: { href: consoleOrigin, text: `Open ${consoleOrigin}` },
    };
  }
  return { title: "Your browser cannot reach QuickSight", action: `Check your connection, and whether your network allows ${consoleOrigin}.` };
}

let sdkContext;

// The SDK adds a frame of its own to the page, for its messages, which is nothing to look at.
function hideControlFrame(event, { frame } = {}) {
  if (event.eventName === "FRAME_MOUNTED" && frame) {
    Object.assign(frame, { title: "Messages of QuickSight", tabIndex: -1 });
    frame.setAttribute("aria-hidden", "true");
  }
}

let latest = 0; // the number of the latest opening: what earlier ones still report is ignored

async function open(link) {
  const mine = ++latest;
  const name = link.textContent;
  const ifLatest = (fn) => (...args) => mine === latest && fn(...args);
  let silence;
  const afterSilence = (milliseconds, act) => {
    clearTimeout(silence);
    silence = setTimeout(ifLatest(act), milliseconds);
  };
  const fail = ifLatest((problem) => {
    latest++;
    clearTimeout(silence);
    byId("frame").replaceChildren();
    clearSteps();
    showProblem(problem);
  });

  const findOut = async () => {
    const why = await whyUnseen();
    if (mine !== latest || document.body.dataset.state !== "loading") return;
    if (why) {
      fail(why);
      return;
    }
    markStep("ready");
    show("ready", `${name} is open.`);
    afterSilence(patience.silent, () => {
      byId("hint").textContent = `If QuickSight does not show below, ${location.origin} may be missing on the list of domains that may embed it: ask your QuickSight administrator to add it, under Manage QuickSight, Domains and embedding.`;
      byId("hint").hidden = false;
    });
  };

  const onChange = ifLatest((event, { frame } = {}) => {
    switch (event.eventName) {
      case "FRAME_MOUNTED":
        frame.title = `QuickSight console: ${name}`;
        markStep("mounted");
        show("loading", "Waiting for QuickSight…");
        afterSilence(patience.unloaded, findOut);
        break;
      case "FRAME_LOADED": // also where the browser shows an error of its own in the frame
        markStep("loaded");
        if (document.body.dataset.state === "loading") findOut();
        break;
      default:
        if (event.eventLevel === "ERROR") fail({ title: "The console could not be embedded", action: "Open it again. If it stays so, tell your administrator." });
    }
  });
  const onMessage = ifLatest((event) => {
    if (event.eventName === "ERROR_OCCURRED") {
      const { errorCode } = event.message ?? {};
      fail(consoleProblems[errorCode] ?? { title: "QuickSight reports an error", action: `Open the console again. If it stays so, tell your administrator that it was “${errorCode}”.` });
      return;
    }
    clearTimeout(silence); // any other message comes from a console that is there
    markStep("ready");
    show("ready", `${name} is open.`);
  });

  byId("title").textContent = name;
  document.title = `${name} · Acme Insights`;
  for (const other of links) other === link ? other.setAttribute("aria-current", "page") : other.removeAttribute("aria-current");
  byId("frame").replaceChildren();
  clearSteps();
  show("loading", `Opening ${name}…`);
  try {
    const url = await askForURL(link.dataset.place);
    if (mine !== latest) return;
    sdkContext ??= await QuickSightEmbedding.createEmbeddingContext({ onChange: hideControlFrame });
    await sdkContext.embedConsole({ url, container: byId("frame"), width: "100%", height: "100%", onChange }, { onMessage });
  } catch (problem) {
    fail(problem instanceof Problem ? problem : { title: "The console could not be embedded", action: "Open it again. If it stays so, tell your administrator." });
  }
}

const current = () => links.find((link) => link.hash === location.hash) ?? links[0];

for (const link of links) {
  link.addEventListener("click", () => {
    if (link.hash === location.hash) open(link); // else the hash changes
  });
}
window.addEventListener("hashchange", () => {
  if (links.some((link) => link.hash === location.hash)) open(current()); // and not on the way to the console
});
byId("open-again").addEventListener("click", () => open(current()));
byId("sign-out").addEventListener("click", async () => {
  await post("/api/sign-out", {}).catch(() => {});
  location.assign("/sign-in");
});
open(current());
