/* Which window of this browser has the sitting: the one that was opened last. Each remembers the
   number of the lease that it holds; one that has an older number shows so and takes no answer. */
"use strict";

(function () {
  const page = window.tarozu;
  const name = "tarozu-epoch:" + page.sitting.dataset.sitting;
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(name) : null;
  const me = String(Math.random());
  let mine = null;
  let waits = 1000;

  function timer() {
    return page.byId("timer").dataset;
  }

  /* A question, a pause or a break is only for the window that holds the sitting. */
  function needsLease() {
    return ["question", "break", "invigilator"].includes(timer().state);
  }

  function tell(message) {
    if (channel) channel.postMessage({ from: me, ...message });
  }

  function take(epoch) {
    mine = epoch;
    timer().epoch = epoch;
    page.remember("sessionStorage", name, String(epoch));
    for (const field of page.sitting.querySelectorAll("input[name=epoch]")) field.value = epoch;
    page.sitting.inert = false;
    tell({ taken: epoch });
    page.sendAgain();
  }

  /* Another window has it: this one stays to be read, and offers to take it back. */
  function lose() {
    if (mine === null) mine = -1;
    page.forgetSending();
    page.sitting.inert = false;
    page.refresh(Math.max(mine, 0));
  }

  async function claim() {
    page.sitting.inert = true;
    page.showSaveState("saving", page.words.joining);
    try {
      const headers = JSON.parse(document.body.getAttribute("hx-headers"));
      const body = new URLSearchParams({ epoch: timer().epoch });
      const options = { method: "POST", headers, body, redirect: "error" };
      const response = await fetch(page.sitting.dataset.address + "/claim", options);
      if (response.ok) {
        page.showSaveState("", "");
        take((await response.json()).epoch);
      } else if (response.status < 429) {
        window.location.reload();
      } else {
        claimLater();
      }
    } catch {
      claimLater();
    }
  }

  function claimLater() {
    window.setTimeout(claim, waits);
    waits = Math.min(2 * waits, 15000);
  }

  /* A window that was duplicated remembers the number of the one that it was copied from. */
  function heard({ data }) {
    if (data.from === me) return;
    if (data.asks === mine && mine !== null) tell({ to: data.from, has: mine });
    else if (data.to === me && data.has === mine) claim();
    else if (data.taken > mine && mine !== null && needsLease()) lose();
  }

  function begin() {
    if (!needsLease()) return;
    const epoch = Number(timer().epoch);
    const kept = page.remembered("sessionStorage", name);
    if (page.sitting.dataset.newWindow !== undefined || !keeps()) take(epoch);
    else if (kept === null) claim();
    else if (Number(kept) < epoch) {
      mine = Number(kept);
      lose();
    } else {
      mine = epoch;
      tell({ asks: epoch });
      page.sendAgain();
    }
  }

  /* A browser that keeps nothing is left to position and key, as one without scripts. */
  function keeps() {
    page.remember("sessionStorage", "tarozu-keeps", "1");
    return page.remembered("sessionStorage", "tarozu-keeps") === "1";
  }

  page.holds = () => mine !== null && mine === Number(timer().epoch) && !page.sitting.inert;
  page.lose = lose;
  page.held = () => mine;
  if (channel) channel.addEventListener("message", heard);
  begin();
})();
