/* Rooms: says when a page could not refresh itself, and sends each form once. */
"use strict";

(function () {
  const stale = document.getElementById("stale");

  function isLive(event) {
    const element = event.detail && event.detail.elt;
    return Boolean(element && element.closest && element.closest("[data-live]"));
  }

  function mark(event) {
    if (isLive(event)) stale.hidden = false;
  }

  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, mark);
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    if (isLive(event)) stale.hidden = true;
  });

  /* A second click on a button whose form is on its way sends nothing. */
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (sent.has(event.target)) event.preventDefault();
    sent.add(event.target);
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
})();
