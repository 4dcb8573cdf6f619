/** Two tabs (frames are as good) log in, renew and log out; /result hears how it went. */

const parameters = new URLSearchParams(location.search);
const [service, code] = [parameters.get("service"), parameters.get("code")];

/** Open a tab: a page of its own, with its own instance of the kit. */
async function openTab(options) {
  const frame = document.createElement("iframe");
  frame.src = "./tab.html";
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
  document.body.append(frame);
  await loaded;
  const tab = { late: 0, refreshes: 0 };
  const page = frame.contentWindow;
  tab.auth = page.createAuth({
    baseUrl: service,
    now: () => Date.now() + tab.late,
    fetch: (url, init) => {
      if (url.endsWith("/api/token")) tab.refreshes += 1;
      return page.fetch(url, init);
    },
    ...options(page),
  });
  return tab;
}

async function until(condition) {
  for (let tries = 0; tries < 200 && !condition(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return condition();
}

async function run(phone, options) {
  const [first, second] = [await openTab(options), await openTab(options)];
  await first.auth.send({ phone });
  const { user } = await first.auth.verify(code);
  const heardLogin = await until(() => second.auth.loggedIn);
  for (const tab of [first, second]) tab.late = 600_000;
  const all = [first, second].flatMap(({ auth }) =>
    Array.from({ length: 10 }, () => auth.accessToken()),
  );
  const tokens = new Set(await Promise.all(all));
  const later = await openTab(options);
  const restored = await later.auth.restore();
  const texts = JSON.stringify({ ...localStorage }) + document.cookie;
  await later.auth.logout();
  return {
    heardLogin,
    tokens: tokens.size,
    refreshes: first.refreshes + second.refreshes,
    restored: restored?.id === user.id,
    holdsRefreshToken: texts.includes("qcr_"),
    heardLogout: await until(() => !first.auth.loggedIn && !second.auth.loggedIn),
    gone: (await first.auth.restore()) === null,
  };
}

async function report() {
  const stored = (page) => ({ storage: page.localStorage });
  const result = { locks: "locks" in navigator };
  result.token = await run("+15550100151", stored);
  result.cookie = await run("+15550100152", () => ({ mode: "cookie" }));
  return result;
}

const result = await report().catch((error) => ({
  failed: String(error.stack ?? error),
}));
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
