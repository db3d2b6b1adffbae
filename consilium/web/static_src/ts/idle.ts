const WARN_BEFORE_MS = 2 * 60_000;

/** Two minutes before the session ends, say so; activity on the server starts the time anew with the next page. */
export function idleWarning(body: HTMLElement): void {
  const minutes = Number(body.dataset["idleMinutes"]);
  const box = document.querySelector<HTMLElement>("[data-idle-warning]");
  if (!minutes || !box) return;
  let started = Date.now();
  const reset = (): void => {
    started = Date.now();
    box.hidden = true;
  };
  const check = (): void => {
    const left = minutes * 60_000 - (Date.now() - started);
    if (left > WARN_BEFORE_MS || !box.hidden) return;
    box.hidden = false;
    box.querySelector<HTMLElement>("a, button")?.focus();
  };
  // Autosave, polling and uploads are requests too: the server counts them, so does this clock.
  for (const name of ["htmx:afterRequest", "consilium:saved", "consilium:uploaded"]) body.addEventListener(name, reset);
  document.addEventListener("consilium:saved", reset, true);
  box.querySelector("[data-idle-stay]")?.addEventListener("click", (event) => {
    event.preventDefault();
    void fetch(location.pathname, { method: "HEAD", credentials: "same-origin" }).then((answer) => {
      if (answer.ok && !answer.redirected) reset();
      else location.reload();
    });
  });
  window.setInterval(check, 10_000);
}
