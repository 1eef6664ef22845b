"use strict";

const form = document.getElementById("sign-in");
const problem = document.getElementById("sign-in-problem");

// Uses fetch instead of the form: if it fails, the page stays as it is.
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const reply = await fetch("/api/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: form.user.value.trim(), password: form.password.value }),
    });
    if (reply.ok) {
      location.assign("/" + location.hash);
      return;
    }
    const { title, action } = await reply.json();
    problem.textContent = `${title}. ${action}`;
  } catch {
    problem.textContent = "The server cannot be reached. Try again in a moment.";
  }
  button.disabled = false;
  form.password.focus();
  form.password.select();
});
