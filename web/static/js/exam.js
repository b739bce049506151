/* The exam page: timer, save state, retries, drafts and focus. The page works without it. */
"use strict";

(function () {
  const ASK_EVERY = 20000;
  const WAITS = [1000, 2000, 4000, 8000, 15000];
  const WARNINGS = [
    [600000, "left10"],
    [300000, "left5"],
    [60000, "left1"],
  ];

  const sitting = document.getElementById("sitting");
  const words = JSON.parse(sitting.dataset.words);
  let unsaved = false;
  let submitter = null;
  let tries = 0;
  let languageTries = 0;
  let endsAt = null;
  let warned = Infinity;
  let asking = false;
  let focused = null;
  let timeHidden = remembered("tarozu-time-hidden") === "1";

  /* What a browser refuses to keep is simply not kept. */
  function remembered(name) {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null;
    }
  }

  function remember(name, value) {
    try {
      sessionStorage.setItem(name, value);
    } catch {
      return;
    }
  }

  function byId(id) {
    return document.getElementById(id);
  }

  function say(text) {
    byId("announcements").textContent = text;
  }

  /* --- the draft: a chosen, not yet confirmed answer survives a reload ------------------------ */

  function draftName(form) {
    return "tarozu-draft:" + form.dataset.draft;
  }

  /* What the candidate has said: the answer's own controls, and none of the form's others. */
  function controls(form) {
    return form.querySelectorAll(".question :is(input, select)");
  }

  function keepDraft(form) {
    const said = Array.from(controls(form))
      .filter((one) => (one.matches("[type=radio], [type=checkbox]") ? one.checked : one.value))
      .map((one) => [one.name, one.value]);
    remember(draftName(form), JSON.stringify(said));
  }

  function restoreDraft() {
    const form = byId("answer");
    const kept = form && remembered(draftName(form));
    if (kept) {
      const said = JSON.parse(kept);
      for (const one of controls(form)) putBack(one, said);
    }
    document.dispatchEvent(new Event("question:ready"));
  }

  function putBack(one, said) {
    const own = said.filter(([name]) => name === one.name).map(([, value]) => value);
    if (one.matches("[type=radio], [type=checkbox]")) one.checked = own.includes(one.value);
    else if (own.length) one.value = own[0];
  }

  for (const name of ["change", "input"]) {
    document.addEventListener(name, (event) => {
      if (event.target.form && event.target.form.id === "answer") keepDraft(event.target.form);
    });
  }

  /* --- saving --------------------------------------------------------------------------------- */

  function showSaveState(state, text) {
    const element = byId("save-state");
    if (!element) return;
    element.dataset.state = state;
    element.textContent = text;
  }

  /* While an answer is on its way it cannot change: its controls are out of reach. */
  function lock(form) {
    const confirm = byId("confirm");
    const question = form.querySelector(".question");
    if (question.contains(document.activeElement)) confirm.focus({ preventScroll: true });
    question.inert = true;
    confirm.setAttribute("aria-disabled", "true");
  }

  function isAnswer(event) {
    return event.target.id === "answer";
  }

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isAnswer(event)) return;
    unsaved = true;
    lock(event.target);
    if (tries === 0) showSaveState("saving", words.saving);
  });

  function later(form, n, act) {
    showSaveState("unsaved", words.unsaved);
    const wait = WAITS[Math.min(n, WAITS.length - 1)] * (0.8 + 0.4 * Math.random());
    window.setTimeout(() => {
      if (byId("answer") === form) act();
    }, wait);
  }

  function sendAgain(form) {
    later(form, tries, () => form.requestSubmit(submitter));
    tries += 1;
  }

  /* The question in another language can wait for an answer that is on its way. */
  function askAgain(button) {
    later(button.form, languageTries, () => unsaved || button.click());
    languageTries += 1;
  }

  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      if (isAnswer(event)) sendAgain(event.target);
      else if (event.target.name === "language") askAgain(event.target);
    });
  }

  /* A second click while the first is on its way does nothing. */
  document.addEventListener(
    "submit",
    (event) => {
      if (!isAnswer(event)) return;
      if (unsaved && tries === 0) {
        event.preventDefault();
        event.stopPropagation();
      } else {
        submitter = event.submitter || byId("confirm");
      }
    },
    true,
  );

  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const status = event.detail.xhr.status;
    if (isAnswer(event) && status < 429) {
      unsaved = false;
      tries = 0;
    }
  });

  /* Lists of places are hidden where buttons move the lines. */
  function firstControl() {
    const all = Array.from(sitting.querySelectorAll(".question :is(input, select, .move)"));
    return all.find((one) => one.offsetParent !== null) || byId("confirm");
  }

  document.addEventListener("htmx:afterSettle", () => {
    languageTries = 0;
    restoreDraft();
    readTimer();
    const heading = byId("state-heading");
    const problem = byId("answer-problem");
    if (problem) firstControl().focus();
    else if (heading && heading !== focused) heading.focus({ preventScroll: true });
    focused = heading;
    saySettled();
  });

  /* What comes into the page with its words in it is not read out by itself. */
  function saySettled() {
    const said = Array.from(sitting.querySelectorAll("[role=status]"));
    const text = said.map((one) => one.innerText.trim()).join(" ").trim();
    if (text) say(text);
  }

  /* --- the timer follows the server, never the device's clock --------------------------------- */

  function readTimer() {
    const timer = byId("timer");
    if (timer.dataset.left !== undefined) setLeft(Number(timer.dataset.left));
    const toggle = timer.querySelector(".timer-toggle");
    if (!toggle) return;
    toggle.hidden = false;
    showTimer(timer, toggle);
  }

  function setLeft(milliseconds) {
    endsAt = performance.now() + milliseconds;
    tick();
  }

  function tick() {
    const timer = byId("timer");
    const value = timer.querySelector(".timer-value");
    if (endsAt === null || !value) return;
    const left = Math.max(0, endsAt - performance.now());
    const seconds = Math.ceil(left / 1000);
    const minutes = Math.floor(seconds / 60);
    value.textContent = minutes + ":" + String(seconds % 60).padStart(2, "0");
    timer.classList.toggle("soon", left < 300000);
    warn(left);
    if (left === 0 && byId("answer")) ask();
  }

  /* A page that opens says only what has just passed; one that slept says it late. */
  function warn(left) {
    const late = warned === Infinity ? 5000 : Infinity;
    const due = WARNINGS.filter(
      ([limit]) => left <= limit && warned > limit && left > limit - late,
    ).pop();
    if (due) say(words[due[1]]);
    warned = left;
  }

  function showTimer(timer, toggle) {
    toggle.textContent = timeHidden ? words.show : words.hide;
    if (timeHidden) timer.dataset.hidden = "";
    else delete timer.dataset.hidden;
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest(".timer-toggle");
    if (!toggle) return;
    timeHidden = !timeHidden;
    remember("tarozu-time-hidden", timeHidden ? "1" : "0");
    showTimer(byId("timer"), toggle);
  });

  /* --- asking the server: extra time, another window, the end --------------------------------- */

  async function ask() {
    if (asking || unsaved || !byId("answer")) return;
    asking = true;
    try {
      const response = await fetch(byId("timer").dataset.clock, { cache: "no-store" });
      if (response.ok) follow(await response.json());
    } catch {
      return;
    } finally {
      asking = false;
    }
  }

  function follow(state) {
    const page = byId("timer").dataset;
    if (unsaved) return;
    const moved = state.position !== Number(page.position) || state.epoch !== Number(page.epoch);
    if (moved || !state.open) {
      window.location.assign(window.location.pathname + (moved ? "?moved=1" : ""));
    } else if (state.left !== null) {
      setLeft(state.left);
    }
  }

  window.setInterval(tick, 500);
  window.setInterval(ask, ASK_EVERY);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  restoreDraft();
  readTimer();
})();
