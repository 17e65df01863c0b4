// Phones begin with the controls closed.
if (window.matchMedia("(max-width: 800px)").matches) document.getElementById("controls").open = false;

// Back and Forward change what is shown, not only the address.
window.addEventListener("popstate", () => {
  const address = Bokeh.documents[0].get_model_by_name("query of the address");
  if (address) address.value = window.location.search;
});

// Dark plots are made by the server, which knows the visitor's choice from this cookie.  The address
// holds the state of the page, so that nothing is lost when it is loaded again.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
function follow() {
  const wanted = "heatcat_dark=" + (dark.matches ? 1 : 0);
  const known = document.cookie.split("; ").find(word => word.startsWith("heatcat_dark="));
  if (known === wanted || (known === undefined && !dark.matches)) return;
  document.cookie = wanted + "; SameSite=Strict; path=/";
  if (document.cookie.includes(wanted)) window.location.reload();
}
dark.addEventListener("change", follow);
follow();

// Handles of sliders get the names and values that are written above them: Bokeh gives them none.
function* deep(root) {
  for (const element of root.querySelectorAll("*")) {
    yield element;
    if (element.shadowRoot) yield* deep(element.shadowRoot);
  }
}
function nameSliders() {
  for (const handle of deep(document)) {
    if (handle.getAttribute("role") !== "slider") continue;
    const column = handle.getRootNode().host.getRootNode();
    const title = [...deep(column)].find(element => element.matches(".bk-clearfix") && element.textContent);
    if (!title) continue;
    const [name, ...value] = title.textContent.split(":");
    handle.setAttribute("aria-label", name.trim());
    handle.setAttribute("aria-valuetext", value.join(":").trim());
  }
}
let naming = 0;
function nameSoon() {
  window.clearTimeout(naming);
  naming = window.setTimeout(nameSliders, 200);
}
function watch() {
  if (!window.Bokeh || !Bokeh.documents.length) return window.setTimeout(watch, 200);
  Bokeh.documents[0].on_change(nameSoon);
  nameSoon();
}
watch();
