/* The clock of the exam page: it follows the server, never this device. Asks now and then what has
   changed meanwhile: more time, a pause, a message, another window, the end. */
"use strict";

(function () {
  const ASK_EVERY = 20000;
  const MORE = 20000;
  const WARNINGS = [
    [600000, "left10"],
    [300000, "left5"],
    [60000, "left1"],
  ];
  const page = window.tarozu;
  const { byId, words } = page;
  let endsAt = null;
  let warned = Infinity;
  let asking = false;
  let timeHidden = page.remembered("sessionStorage", "tarozu-time-hidden") === "1";

  function readTimer() {
    const timer = byId("timer");
    endsAt = null;
    if (timer.dataset.left !== undefined) setLeft(Number(timer.dataset.left));
    const onBreak = page.sitting.querySelector("[data-break-left]");
    if (onBreak) setLeft(Number(onBreak.dataset.breakLeft));
    const toggle = timer.querySelector(".timer-toggle");
    if (!toggle) return;
    toggle.hidden = false;
    showTimer(timer, toggle);
  }

  function setLeft(milliseconds) {
    endsAt = performance.now() + milliseconds;
    tick();
  }

  function clockFace(milliseconds) {
    const seconds = Math.ceil(milliseconds / 1000);
    return Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
  }

  function tick() {
    if (endsAt === null) return;
    const left = Math.max(0, endsAt - performance.now());
    if (byId("timer").dataset.state === "break") tickBreak(left);
    else tickExam(left);
  }

  function tickExam(left) {
    const timer = byId("timer");
    const value = timer.querySelector(".timer-value");
    if (!value) return;
    value.textContent = clockFace(left);
    timer.classList.toggle("soon", left < 300000);
    warn(left);
    if (left === 0) ask();
  }

  function tickBreak(left) {
    const value = page.sitting.querySelector(".break-value");
    if (!value) return;
    value.textContent = clockFace(left);
    page.sitting.querySelector(".break-clock").hidden = left === 0;
    page.sitting.querySelector(".break-over").hidden = left > 0;
  }

  /* A page that opens says only what has just passed; one that slept says it late. */
  function warn(left) {
    const late = warned === Infinity ? 5000 : Infinity;
    const due = WARNINGS.filter(
      ([limit]) => left <= limit && warned > limit && left > limit - late,
    ).pop();
    if (due) page.say(words[due[1]]);
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
    page.remember("sessionStorage", "tarozu-time-hidden", timeHidden ? "1" : "0");
    showTimer(byId("timer"), toggle);
  });

  /* --- asking the server ------------------------------------------------------------------------ */

  function runs() {
    return ["question", "break", "invigilator"].includes(byId("timer").dataset.state);
  }

  async function ask() {
    if (asking || page.isUnsaved() || !runs()) return;
    asking = true;
    try {
      const response = await fetch(byId("timer").dataset.clock, { cache: "no-store" });
      if (response.ok && !response.redirected) follow(await response.json());
    } catch {
      return;
    } finally {
      asking = false;
    }
  }

  function follow(now) {
    const shown = byId("timer").dataset;
    if (page.isUnsaved() || page.sitting.inert) return;
    if (byId("messages") && now.message !== newest()) readMessages();
    const moved = now.position !== Number(shown.position);
    if (now.epoch !== page.held()) page.lose();
    else if (moved || now.state !== shown.state) page.refresh(now.epoch, moved ? "&moved=1" : "");
    else if (now.left !== null) followTime(now.left);
  }

  function followTime(left) {
    const more = endsAt === null ? 0 : left - (endsAt - performance.now());
    setLeft(left);
    if (more < MORE || byId("timer").dataset.state === "break") return;
    const text = words.more.replace("{n}", Math.round(more / 60000) || 1);
    page.say(text);
    const note = byId("more-time");
    note.textContent = text;
    note.hidden = false;
  }

  /* --- messages from the invigilator ------------------------------------------------------------ */

  function newest() {
    return byId("messages").dataset.newest || null;
  }

  function readMessages() {
    window.htmx.ajax("GET", byId("messages").dataset.address, {
      target: "#messages",
      swap: "outerHTML",
    });
  }

  window.setInterval(tick, 500);
  window.setInterval(ask, ASK_EVERY);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") ask();
  });
  window.addEventListener("focus", ask);
  document.addEventListener("exam:state", readTimer);
  readTimer();
})();
