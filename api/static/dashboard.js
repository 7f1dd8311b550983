// What the page cannot say in HTML: fewer stops of the Tab key, the cursor where work begins or the answer is, and a
// phone's keys for digits. This part reads the page and writes attributes only.
(() => {
  // The logo is a second link to the first page; the page's own box is no place to stop, but the link that skips to it
  // still leads there.
  const NO_STOP = '[data-testid="stLogoLink"], [data-testid="stMain"]';
  const DIGITS = '[data-testid="stTextInput"] input[autocomplete="off"]';
  const TYPING = 'input, textarea, [contenteditable="true"]';
  let seen = '';
  let begun = '';

  const quiet = (root) => {
    for (const part of root.querySelectorAll(NO_STOP)) if (part.tabIndex !== -1) part.tabIndex = -1;
    for (const part of root.querySelectorAll(DIGITS)) if (part.inputMode !== 'decimal') part.inputMode = 'decimal';
  };
  // On a phone a table's rows are cards, and each cell is known by the name of its column.
  const name = (root) => {
    for (const table of root.querySelectorAll('[data-testid="stTable"] table')) {
      const names = [...table.querySelectorAll('thead th')].map((head) => head.textContent);
      for (const cell of table.querySelectorAll('tbody td')) {
        const own = names[cell.cellIndex] || '';
        if (cell.dataset.column !== own) cell.dataset.column = own;
        const blank = !cell.textContent.trim();
        if (cell.hasAttribute('data-blank') !== blank) cell.toggleAttribute('data-blank', blank);
      }
    }
  };
  // An answer names its heading; a new one gets the focus, so that the next key begins there.
  const lead = () => {
    const answer = document.querySelector('[data-answer]');
    const heading = answer && document.getElementById(answer.dataset.heading);
    if (!answer || !heading || answer.dataset.answer === seen) return;
    seen = answer.dataset.answer;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: matchMedia('(min-width: 961px)').matches });
    // The form has folded above what was in view: the evidence begins at the top.
    const desk = document.querySelector('.st-key-desk');
    if (desk && matchMedia('(min-width: 961px)').matches && desk.getBoundingClientRect().top < 0) desk.scrollIntoView();
  };
  // Where a page begins with one field, whoever has a keyboard can type at once.
  const begin = () => {
    const first = document.querySelector('.st-key-begin_here input');
    if (location.pathname === begun || !first) return;
    begun = location.pathname;
    const busy = document.activeElement && document.activeElement.matches(TYPING);
    const answered = document.querySelector('[data-answer]');
    if (!busy && !answered && matchMedia('(hover: hover) and (min-width: 961px)').matches) {
      first.focus({ preventScroll: true });
    }
  };
  // A button pressed with a key may be gone with what it did: the next key begins where work goes on.
  const GO_ON = [
    ['.st-key-addresses', '.st-key-price_home button'],
    ['.st-key-edit_home, .st-key-begin_next, .st-key-next_home', '.st-key-begin_here input'],
  ];
  let next = '';
  for (const deed of ['pointerdown', 'keydown']) addEventListener(deed, () => { next = ''; }, true);
  addEventListener('click', (event) => {
    if (event.isTrusted && !event.detail) next = GO_ON.find(([from]) => event.target.closest(from))?.[1] || '';
  }, true);
  const goOn = () => {
    const place = next && document.activeElement === document.body && document.querySelector(next);
    if (!place || !place.checkVisibility()) return;
    next = '';
    place.focus({ preventScroll: true });
  };
  // The sale whose dot was pressed on the map is shown below it, perhaps below the screen.
  let offered = null;
  const offer = () => {
    const sale = document.querySelector('.st-key-dot_sale');
    if (sale && sale !== offered) sale.scrollIntoView({ block: 'nearest' });
    offered = sale;
  };
  let asked = false;
  new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; quiet(document); name(document); lead(); begin(); goOn(); offer(); });
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ['data-answer'] });
})();
// Facts typed and not priced yet, and a price or sales chosen and not decided on, are lost where the tab is closed: the
// browser asks first. It asks before a reload too, which brings all of it back but a note.
(() => {
  const FACTS = ".st-key-subject input";
  const PRICE = ".st-key-decision_fields input";
  const answer = () => document.querySelector("[data-answer]")?.dataset.answer;
  let typed = false;
  let priced = "";
  addEventListener("input", event => {
    if (event.isTrusted && event.target.matches(FACTS)) typed = true;
    if (event.isTrusted && event.target.matches(PRICE)) priced = answer();
  });
  addEventListener("beforeunload", event => {
    const held = [...document.querySelectorAll(FACTS)].some(field => field.value);
    const chosen = document.querySelector(".st-key-reset_sales") || (priced && priced === answer());
    const undecided = chosen && !document.querySelector(".st-key-decision_made");
    if (answer() ? undecided : typed && held) event.preventDefault();
  });
})();
// Leaving a field sends what was typed, and the page may move or rename what is being pressed: the press would be lost.
// So the field is left as the press ends. A table tells what was chosen in it a moment later.
(() => {
  const FIELD = ":is([data-testid='stTextInput'], [data-testid='stTextArea'], [data-testid='stNumberInput'])";
  const TABLE = "[data-testid='stDataFrame']";
  const PRESSED = `button, a, summary, label, [role='tab'], [role='radio'], [role='checkbox'], ${TABLE}`;
  const OPENED = "[data-testid='stPopoverBody'], [role='dialog']";
  const TABLE_MS = 1000;
  let held = null;
  const leave = () => {
    const field = held;
    held = null;
    // Some browsers leave the cursor in the field when a button is pressed.
    if (field && document.activeElement === field) field.blur();
    else field?.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  };
  addEventListener("focusin", event => { if (event.target === held) held = null; }, true);
  addEventListener("pointerdown", event => {
    leave();
    const field = document.activeElement;
    if (!field?.matches(`${FIELD} :is(input, textarea)`) || !event.target.closest(PRESSED)) return;
    // A press inside the field's own box, or one that closes the pop-up it stands in, leaves it at once.
    if (field.closest(FIELD).contains(event.target)) return;
    if (field.closest(OPENED)?.contains(event.target) === false) return;
    held = field;
  }, true);
  addEventListener("focusout", event => { if (event.target === held) event.stopImmediatePropagation(); }, true);
  addEventListener("click", event => { if (!event.target.closest(TABLE)) leave(); }, true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, event => {
    // The click follows the end of a press.
    if (held) setTimeout(leave, event.target.closest(TABLE) ? TABLE_MS : 50);
  }, true);
})();
// One deed is one step to go back over: a page writes its address in parts, some of which name no market or no home.
(() => {
  const push = history.pushState;
  let done = true;
  for (const deed of ["pointerdown", "keydown"]) addEventListener(deed, () => { done = false; }, true);
  addEventListener("popstate", () => { done = true; }, true);
  // What is being typed is kept in the address for a reload, and is no step of its own.
  const place = (url) => { const there = new URL(url ?? '', location.href); there.searchParams.delete('typed'); return there.href; };
  history.pushState = (...step) => {
    const typing = place(step[2]) === place(location.href);
    (done || typing ? history.replaceState : push).apply(history, step);
    done ||= !typing;
  };
})();
// A chart chooses the mark under the pointer, and a finger has none before it lifts: the mark is found as it touches.
addEventListener("pointerdown", event => {
  if (event.pointerType !== "touch" || !event.target.closest(".st-key-comparables_map")) return;
  const { clientX, clientY } = event;
  event.target.dispatchEvent(new MouseEvent("mousemove", { bubbles: true, view: window, clientX, clientY }));
}, true);
// Enter in a field for a fact prices the home; the field itself has sent its value by then.
addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
  const field = event.target.closest("[data-testid='stTextInput'], [data-testid='stNumberInput']");
  const button = field?.closest("[class*='st-key-fields_']")?.querySelector(".st-key-price_home button");
  if (button) setTimeout(() => button.click());
});
// A date is typed in parts of its own, in which Streamlit does not hear the keys that press the button.
addEventListener("keydown", event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  const field = event.target.closest("[data-testid='stDateInput']");
  const button = field?.closest("[class*='st-key-fields_']")?.querySelector(".st-key-price_home button");
  if (!button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  // Leaving the field sends what was typed in it.
  button.focus();
  setTimeout(() => button.click());
}, true);
// In the menu, the page that is open leads nowhere by itself: where a home is priced, it leads to the next one.
addEventListener("click", event => {
  const link = event.target.closest("[data-testid='stSidebarNavLink'][aria-current='page']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  document.querySelector("[data-testid='stMain']")?.scrollTo(0, 0);
  const button = ".st-key-begin_next button, .st-key-next_home button, .st-key-clear_form button";
  if (document.querySelector("[data-heading='price-range']")) document.querySelector(button)?.click();
});
// A link to a page, opened in another tab, keeps role and market, as a press in this one does.
for (const near of ["pointerdown", "focusin"]) addEventListener(near, event => {
  const link = event.target.closest?.("[data-testid='stSidebarNavLink'], [data-testid='stPageLink-NavLink']");
  if (!link || link.origin !== location.origin) return;
  const here = new URLSearchParams(location.search);
  const there = new URL(link.href);
  for (const name of ["role", "market"]) {
    if (here.has(name)) there.searchParams.set(name, here.get(name));
    else there.searchParams.delete(name);
  }
  if (there.href !== link.href) link.href = there.href;
}, true);
// Streamlit closes its menu after a choice on phones only; in a narrow window it would stay over the page.
addEventListener("click", event => {
  if (innerWidth > 768 || !event.target.closest("[data-testid='stSidebarNavLink']")) return;
  setTimeout(() => {
    document.querySelector("[data-testid='stSidebar'][data-collapsed='false'] [data-testid='stSidebarCollapseButton'] button")?.click();
  }, 100);
});
// What is typed in one of the form's pickers counts as soon as one goes on, as in every other field; Streamlit would
// forget it. A press in the picker's own list chooses for itself.
(() => {
  const PICKER = ".st-key-subject [data-testid='stSelectbox'] input";
  const OWN = "[data-testid='stSelectbox'], [data-testid='stSelectboxVirtualDropdown']";
  let held = "";
  const take = (field) => {
    const typed = field.value.trim();
    if (!typed || typed === held) return;
    held = typed;
    const enter = { key: "Enter", code: "Enter", keyCode: 13, bubbles: true, cancelable: true };
    field.dispatchEvent(new KeyboardEvent("keydown", enter));
  };
  // The picker marks its options by focus events of its own.
  addEventListener("focusin", event => { if (event.isTrusted && event.target.matches(PICKER)) held = event.target.value; });
  addEventListener("pointerdown", event => {
    const field = document.activeElement;
    if (field?.matches(PICKER) && !event.target.closest(OWN)) take(field);
  }, true);
  addEventListener("keydown", event => { if (event.key === "Tab" && event.target.matches(PICKER)) take(event.target); }, true);
  addEventListener("focusout", event => {
    const next = event.relatedTarget;
    if (event.isTrusted && event.target.matches(PICKER) && next && !next.closest(OWN)) take(event.target);
  }, true);
})();
