/* Every page: htmx, menus that close, buttons that cannot be pressed twice. */
import htmx from "htmx.org/dist/htmx.esm.js";
import { closeMenus } from "./menus";
import { guardSubmits } from "./submits";

htmx.config.includeIndicatorCSS = false;

closeMenus(document);
guardSubmits(document);
