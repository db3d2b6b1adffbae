// Everything a page gets. Each module finds its own elements and does nothing without them;
// new content swapped in by htmx is set up the same way.
import { confirmLeaving } from "./leaving";
import { copyButtons } from "./copy";
import { counters } from "./counter";
import { autosave } from "./autosave";
import { closeMenus, submitOnChange, takeFocus } from "./focus";
import { idleWarning } from "./idle";
import { passkeys, printing } from "./account";
import { startHtmx } from "./htmx";
import { uploads } from "./upload";

const modules = [counters, autosave, confirmLeaving, uploads, copyButtons, submitOnChange];

function setUp(root: ParentNode): void {
  for (const module of modules) module(root);
}

setUp(document);
takeFocus(document);
closeMenus(document);
idleWarning(document.body);
passkeys(document);
printing(document);
startHtmx(setUp);
