/* The path plot: one stop for the Tab key, arrow keys between questions, and each in words below.

Without this file every question is a link to its explanation. */
"use strict";

(function () {
  const figure = document.querySelector("[data-path]");
  if (!figure) return;
  const said = figure.querySelector("[data-path-said]");
  const words = figure.querySelector("[data-path-words]");
  const points = Array.from(figure.querySelectorAll("a[data-step]"));
  const columns = Array.from(figure.querySelectorAll("[data-step]")); /* of both drawings */
  const steps = points.map((point) => point.dataset.step);
  if (!steps.length) return;
  let current = 0;

  /* Not `disabled`: the focus would be lost with the last question. */
  function mute(button, end) {
    said.querySelector(button).setAttribute("aria-disabled", String(end));
  }

  function explain(place) {
    current = Math.min(Math.max(place, 0), steps.length - 1);
    const told = document.getElementById("step-" + steps[current]);
    words.replaceChildren(...Array.from(told.children, (part) => part.cloneNode(true)));
    points.forEach((point, index) => point.setAttribute("tabindex", index === current ? "0" : "-1"));
    columns.forEach((column) => {
      column.toggleAttribute("data-picked", column.dataset.step === steps[current]);
    });
    mute("[data-path-back]", current === 0);
    mute("[data-path-next]", current === steps.length - 1);
  }

  const moves = {
    ArrowRight: () => current + 1,
    ArrowLeft: () => current - 1,
    ArrowDown: () => current + 1,
    ArrowUp: () => current - 1,
    Home: () => 0,
    End: () => steps.length - 1,
  };

  columns.forEach((column) => {
    const place = steps.indexOf(column.dataset.step);
    column.addEventListener("mouseenter", () => explain(place));
    column.addEventListener("click", (event) => {
      event.preventDefault();
      explain(place);
    });
  });
  points.forEach((point, index) => {
    point.addEventListener("focus", () => explain(index));
    point.addEventListener("keydown", (event) => {
      const move = moves[event.key];
      if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      explain(move());
      points[current].focus();
    });
  });
  said.querySelector("[data-path-back]").addEventListener("click", () => explain(current - 1));
  said.querySelector("[data-path-next]").addEventListener("click", () => explain(current + 1));
  said.hidden = false;
  explain(0);
})();
