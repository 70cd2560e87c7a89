/* Every page: htmx, menus that close, buttons that cannot be pressed twice. */
import htmx from "htmx.org/dist/htmx.esm.js";
import { findAccounts } from "./door";
import { forgetDraftsAtTheDoor, forgetFinishedDraft } from "./drafts";
import { findByForm, keepPlace, rememberOpened } from "./finder";
import { listenForKeys } from "./keys";
import { closeMenus } from "./menus";
import { watchForNews } from "./news";
import { showCurrent } from "./places";
import { countDown } from "./undo";
import { handInByKey, insertMentions, printPage, tickAll } from "./talk";
import { guardSubmits } from "./submits";

htmx.config.includeIndicatorCSS = false;

closeMenus(document);
listenForKeys(document);
guardSubmits(document);
forgetFinishedDraft(document);
forgetDraftsAtTheDoor(document);
findAccounts(document);
findByForm(document);
rememberOpened(document);
keepPlace(document);
watchForNews(document);
showCurrent(document);
insertMentions(document);
handInByKey(document);
countDown(document);
tickAll(document);
printPage(document);
