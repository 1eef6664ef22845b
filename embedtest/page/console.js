// The console's script posts messages to the embedding SDK, and runs the menu and the countdown of
// the session.
(() => {
  const { problem, errorCode, silent, until } = document.body.dataset;
  const query = new URLSearchParams(location.search);
  const isEmbedded = query.has("contextId") && parent !== window;
  const main = document.querySelector("main");

  // announce posts a message in the form that the embedding SDK expects from a console.
  const announce = (eventName, message) => {
    if (!isEmbedded || silent) return;
    const eventTarget = {
      experienceType: "CONSOLE",
      contextId: query.get("contextId"),
      discriminator: Number(query.get("discriminator")),
    };
    parent.postMessage({ eventName, eventTarget, message }, "*");
  };

  // The SDK sends acknowledgements of messages to its control frame. Browsers report an error if
  // that frame has not loaded yet.
  const controlFrameIsThere = () => {
    for (let i = 0; i < parent.length; i++) {
      try {
        if (parent[i].location.pathname.endsWith("/embedControl") && parent[i].document.readyState === "complete") return true;
      } catch {
        // a frame of another origin
      }
    }
    return false;
  };

  const announceProblem = (checksLeft) => {
    if (isEmbedded && checksLeft > 0 && !controlFrameIsThere()) {
      setTimeout(announceProblem, 50, checksLeft - 1);
      return;
    }
    announce("ERROR_OCCURRED", { errorCode });
  };

  // navigate shows the page of a button in the menu, as when a person clicks it.
  const navigate = (button) => {
    document.querySelector("nav [aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "page");
    main.querySelector("h2").textContent = button.textContent;
    main.querySelector("dd").textContent = button.dataset.entryPoint;
    announce("PAGE_NAVIGATION", { pageType: "START" });
  };

  const end = () => {
    document.body.classList.add("ended");
    main.innerHTML = "<p class=problem role=alert>This session has ended. Ask for a new URL.</p>";
    announce("ERROR_OCCURRED", { errorCode: "Unauthorized" });
  };

  // countDown shows the time left by the server's clock. It asks for that clock every two seconds,
  // because tests advance it.
  const countDown = () => {
    const shown = document.querySelector("dt:nth-of-type(3) + dd");
    let endsAt = performance.now() + Number(document.body.dataset.left);
    let mayAsk = true;
    let seconds = 0;
    const ask = async () => {
      const reply = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
      if (reply.status === 410) endsAt = 0;
      else if (reply.ok) endsAt = performance.now() + Date.parse(until) - Date.parse(reply.headers.get("Date"));
      else mayAsk = false; // the browser keeps no cookies in this frame
    };
    const timer = setInterval(() => {
      const left = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
      shown.textContent = [[Math.floor(left / 3600), "h"], [Math.floor(left / 60) % 60, "m"], [left % 60, "s"]]
        .filter(([n], i) => n > 0 || i === 2).map(([n, unit]) => n + unit).join(" ");
      if (left === 0) {
        clearInterval(timer);
        end();
      } else if (mayAsk && ++seconds % 2 === 0) {
        ask().catch(() => {}); // the server may be down for a while
      }
    }, 1000);
  };

  if (problem) {
    announceProblem(100);
    return;
  }
  for (const button of document.querySelectorAll("nav button")) {
    button.addEventListener("click", () => navigate(button));
  }
  countDown();
})();
