// Account pages: passkeys (allauth's own script does the ceremony) and printing recovery codes.

/** Shows what needs a browser with passkeys, and says so kindly when the ceremony fails. */
export function passkeys(page: Document): void {
  if (typeof window.PublicKeyCredential === "undefined") return;
  page.querySelectorAll<HTMLElement>("[data-needs-script]").forEach((part) => (part.hidden = false));
  page.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const failed = page.querySelector<HTMLElement>("[data-passkey-failed]");
    if (!failed) return;
    failed.hidden = false;
    failed.tabIndex = -1;
    failed.focus();
  });
}

/** Buttons that open the print dialogue. */
export function printing(page: Document): void {
  page.querySelectorAll<HTMLElement>("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
}
