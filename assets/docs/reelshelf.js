// The pages under /docs/: examples use the address of this service, and Swagger UI follows the colour scheme.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
follow();
dark.addEventListener("change", follow);

addEventListener("DOMContentLoaded", () => {
  const texts = document.createTreeWalker(document.querySelector(".chapter"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data.replaceAll("http://localhost:8080", location.origin);
  }
  for (const example of document.querySelectorAll(".chapter pre")) example.tabIndex = 0; // it may scroll
  // Swagger UI leaves some controls without an accessible name.
  const name = () => {
    for (const [control, label] of [
      [".opblock-control-arrow:not([aria-label])", "Show or hide the operation"],
      [".expand-operation:not([aria-label])", "Show or hide the group"],
      [".copy-to-clipboard button:not([aria-label])", "Copy"],
      [".servers select:not([aria-label])", "Server"],
      [".model-box-control:not([aria-label])", "Show or hide the schema"],
      [".body-param textarea:not([aria-label])", "Request body"],
    ]) {
      for (const element of document.querySelectorAll(control)) element.setAttribute("aria-label", label);
    }
    for (const field of document.querySelectorAll("[data-param-name] :is(input, select, textarea):not([aria-label])")) {
      field.setAttribute("aria-label", field.closest("[data-param-name]").dataset.paramName);
    }
    const mayScroll = ".microlight:not([tabindex]), [data-json-schema-level='0']:not([tabindex])";
    for (const element of document.querySelectorAll(mayScroll)) element.tabIndex = 0;
  };
  new MutationObserver(name).observe(document.getElementById("swagger-ui") ?? document.body, { childList: true, subtree: true });
});
