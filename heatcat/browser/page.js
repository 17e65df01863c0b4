// Phones begin with the controls closed.
if (window.matchMedia("(max-width: 800px)").matches) document.getElementById("controls").open = false;

// Back and Forward change what is shown, not only the address.
window.addEventListener("popstate", () => {
  const address = Bokeh.documents[0].get_model_by_name("query of the address");
  if (address) address.value = window.location.search;
});

// Dark pages are made by the server, which knows from a cookie what the visitor chose with the
// button, or else what the browser prefers.  The address holds the state of the page, so that
// nothing is lost when it is loaded again.
const prefers = window.matchMedia("(prefers-color-scheme: dark)");
const cookie = name => (document.cookie.split("; ").find(word => word.startsWith(name + "=")) || "").split("=")[1];
const isDark = document.documentElement.classList.contains("dark");
function wear(dark, chosen) {
  const year = chosen ? "; max-age=31536000" : "";
  document.cookie = "heatcat_dark=" + (dark ? 1 : 0) + "; SameSite=Strict; path=/" + year;
  if (chosen) document.cookie = "heatcat_chosen=1; SameSite=Strict; path=/" + year;
  if (cookie("heatcat_dark") === (dark ? "1" : "0")) window.location.reload();
}
function follow() {
  const asked = cookie("heatcat_dark") === (prefers.matches ? "1" : "0");  // in vain: no loop
  if (cookie("heatcat_chosen") !== "1" && prefers.matches !== isDark && !asked) wear(prefers.matches, false);
}
document.getElementById("theme").addEventListener("click", () => wear(!isDark, true));
prefers.addEventListener("change", follow);
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
let naming = [];
function nameSoon() {
  naming.forEach(window.clearTimeout);
  naming = [200, 1500].map(wait => window.setTimeout(nameSliders, wait));  // a busy browser draws late
}
function watch() {
  if (!window.Bokeh || !Bokeh.documents.length) return window.setTimeout(watch, 200);
  Bokeh.documents[0].on_change(nameSoon);
  nameSoon();
}
watch();
