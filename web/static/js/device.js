/* The page before an exam: what this device says of itself. */
"use strict";

(function () {
  const list = document.getElementById("device-check");
  if (!list) return;
  const words = JSON.parse(list.dataset.words);
  const off = Math.round(Math.abs(Date.now() - Number(list.dataset.now)) / 60000);
  const { innerWidth: width, innerHeight: height } = window;

  function show(name, text) {
    list.querySelector(`[data-check=${name}]`).textContent = text;
  }

  show("scripts", words.scripts);
  show("clock", off < 1 ? words.clock : words.clockOff.replace("{n}", off));
  const screen = width < 360 || height < 480 ? words.small : words.screen;
  show("screen", screen.replace("{width}", width).replace("{height}", height));
})();
