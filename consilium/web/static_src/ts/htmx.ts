import htmx from "htmx.org/dist/htmx.esm.js";
import { csrfToken } from "./http";

// htmx's own settings stand in <meta name="htmx-config">: no eval, no inline styles, same origin only.
export function startHtmx(setUp: (root: ParentNode) => void): void {
  document.body.addEventListener("htmx:configRequest", (event) => {
    const detail = (event as CustomEvent<{ verb: string; headers: Record<string, string> }>).detail;
    if (detail.verb !== "get") detail.headers["X-CSRFToken"] = csrfToken();
  });
  // Content that another module put in (an upload's answer) may poll, too.
  document.addEventListener("consilium:added", (event) => htmx.process((event as CustomEvent<Element>).detail));
  htmx.onLoad((element) => {
    if (element !== document.body) setUp(element as ParentNode & Element);
  });
}
