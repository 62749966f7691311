// A checkbox in each form with a new password, which shows what is typed.

for (const form of document.forms) {
  const fields = [...form.querySelectorAll("[autocomplete=new-password]")];
  if (fields.length === 0) continue;
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", autocomplete: "off" });
  label.className = "reveal";
  label.append(box, " Show");
  const show = (shown) => fields.forEach((field) => (field.type = shown ? "text" : "password"));
  box.addEventListener("change", () => show(box.checked));
  form.addEventListener("submit", () => show(false)); // browsers remember texts, but not passwords
  fields.at(-1).after(label);
}
