/* The exam page: answers that are kept on this device until the server has them, and focus.
   The page works without it. `exam-window` and `exam-clock` build upon it. */
"use strict";

(function () {
  const WAITS = [1000, 2000, 4000, 8000, 15000];
  const DAY = 24 * 3600 * 1000;
  const PREFIX = "tarozu-answer:";

  const sitting = document.getElementById("sitting");
  const words = JSON.parse(sitting.dataset.words);
  let unsaved = false;
  let submitter = null;
  let tries = 0;
  let languageTries = 0;
  let retry = null;
  let focused = null;

  function byId(id) {
    return document.getElementById(id);
  }

  function say(text) {
    byId("announcements").textContent = text;
  }

  /* What a browser refuses to keep is simply not kept. */
  function remembered(store, name) {
    try {
      return window[store].getItem(name);
    } catch {
      return null;
    }
  }

  function remember(store, name, value) {
    try {
      if (value === null) window[store].removeItem(name);
      else window[store].setItem(name, value);
    } catch {
      return;
    }
  }

  /* --- the answer on this device: chosen, or confirmed and not yet acknowledged ----------------- */

  function draftName(form) {
    return PREFIX + form.dataset.draft;
  }

  function draft(form) {
    return JSON.parse(remembered("localStorage", draftName(form)) || "null");
  }

  function keep(form, sent) {
    const record = { said: said(form), at: Date.now(), sent };
    remember("localStorage", draftName(form), JSON.stringify(record));
  }

  /* What the candidate has said: the answer's own controls, and none of the form's others. */
  function controls(form) {
    return form.querySelectorAll(".question :is(input, select)");
  }

  function said(form) {
    return Array.from(controls(form))
      .filter((one) => (one.matches("[type=radio], [type=checkbox]") ? one.checked : one.value))
      .map((one) => [one.name, one.value]);
  }

  function putBack(one, kept) {
    const own = kept.filter(([name]) => name === one.name).map(([, value]) => value);
    if (one.matches("[type=radio], [type=checkbox]")) one.checked = own.includes(one.value);
    else if (own.length) one.value = own[0];
  }

  function restoreDraft() {
    const form = byId("answer");
    tidy(form);
    const kept = form && draft(form);
    if (kept) for (const one of controls(form)) putBack(one, kept.said);
    document.dispatchEvent(new Event("question:ready"));
  }

  /* Answers that the server has, and those of a sitting long past, go. */
  function tidy(form) {
    const own = PREFIX + sitting.dataset.sitting + ":";
    const open = form ? draftName(form) : null;
    const over = Boolean(byId("timer").dataset.over);
    for (const name of names()) {
      const passed = name.startsWith(own) && (over || (open && name !== open));
      const record = JSON.parse(remembered("localStorage", name) || "null");
      if (passed || !record || Date.now() - record.at > DAY) remember("localStorage", name, null);
    }
  }

  function names() {
    try {
      return Object.keys(window.localStorage).filter((name) => name.startsWith(PREFIX));
    } catch {
      return [];
    }
  }

  for (const name of ["change", "input"]) {
    document.addEventListener(name, (event) => {
      if (event.target.form && event.target.form.id === "answer") keep(event.target.form, null);
    });
  }

  /* A confirmed answer that a broken line or a closed page kept from the server goes again. */
  function sendAgain() {
    const form = byId("answer");
    const kept = form && draft(form);
    if (!kept || !kept.sent || unsaved) return;
    form.elements.key.value = kept.sent.key;
    tries = 1;
    const pressed = kept.sent.pressed;
    const button = pressed && form.querySelector(`button[name="${pressed}"]`);
    showSaveState("unsaved", words.unsaved);
    form.requestSubmit(button || byId("confirm"));
  }

  /* --- saving ----------------------------------------------------------------------------------- */

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

  /* A second click while the first is on its way does nothing; nor does a window that has lost
     the sitting. */
  document.addEventListener(
    "submit",
    (event) => {
      if (!isAnswer(event)) return;
      if ((unsaved && tries === 0) || !window.tarozu.holds()) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      submitter = event.submitter || byId("confirm");
      const form = event.target;
      const kept = draft(form);
      const key = form.elements.key.value;
      const first = kept && kept.sent && kept.sent.key === key ? kept.sent.at : Date.now();
      form.elements.waited.value = Math.max(0, Math.round((Date.now() - first) / 1000));
      keep(form, { key, at: first, pressed: submitter.name });
    },
    true,
  );

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isAnswer(event)) return;
    unsaved = true;
    lock(event.target);
    if (tries === 0) showSaveState("saving", words.saving);
  });

  /* Wait longer from try to try, and at least as long as the server asks for. */
  function later(form, n, xhr, act) {
    showSaveState("unsaved", words.unsaved);
    const wait = WAITS[Math.min(n, WAITS.length - 1)] * (0.8 + 0.4 * Math.random());
    const asked = Math.min(Number(xhr.getResponseHeader("Retry-After")) || 0, 30) * 1000;
    retry = { form, act, timer: window.setTimeout(retryNow, Math.max(wait, asked)) };
  }

  function retryNow() {
    if (!retry) return;
    const { form, act, timer } = retry;
    window.clearTimeout(timer);
    retry = null;
    if (byId("answer") === form) act();
  }

  function tryAgain(form, xhr) {
    later(form, tries, xhr, () => form.requestSubmit(submitter));
    tries += 1;
  }

  /* The question in another language can wait for an answer that is on its way. */
  function askAgain(button, xhr) {
    later(button.form, languageTries, xhr, () => unsaved || button.click());
    languageTries += 1;
  }

  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      if (isAnswer(event)) tryAgain(event.target, event.detail.xhr);
      else if (event.target.name === "language") askAgain(event.target, event.detail.xhr);
    });
  }

  window.addEventListener("online", retryNow);

  window.addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });

  /* The server has spoken: what it did not take stays here as a draft. */
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const status = event.detail.xhr.status;
    if (!isAnswer(event) || status >= 429) return;
    unsaved = false;
    tries = 0;
    keep(event.target, null);
  });

  /* Lists of places are hidden where buttons move the lines. */
  function firstControl() {
    const all = Array.from(sitting.querySelectorAll(".question :is(input, select, .move)"));
    return all.find((one) => one.offsetParent !== null) || byId("confirm");
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!sitting.contains(event.target)) return;
    languageTries = 0;
    restoreDraft();
    document.dispatchEvent(new Event("exam:state"));
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

  /* Ask for the sitting as it stands, without leaving the page: a line that is down loses nothing.
     The server is told which lease this window holds. */
  function refresh(epoch, also = "") {
    window.htmx.ajax("GET", `${sitting.dataset.address}?window=${epoch}${also}`, {
      target: "#sitting",
      swap: "innerHTML show:window:top",
    });
  }

  window.tarozu = {
    sitting,
    words,
    byId,
    say,
    remembered,
    remember,
    refresh,
    sendAgain,
    showSaveState,
    isUnsaved: () => unsaved,
    forgetSending: () => (unsaved = false),
    holds: () => true,
  };
  restoreDraft();
})();
