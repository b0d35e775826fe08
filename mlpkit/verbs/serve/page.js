// Sends the rows of a form to its model, as JSON or as CSV, and shows the answer.
for (const form of document.querySelectorAll(".try")) {
  const [rows, explain, button, answer] = ["textarea", "input", "button", "pre"].map((tag) => form.querySelector(tag));
  rows.style.width = "100%";
  button.addEventListener("click", async () => {
    const kind = /^\s*[[{]/.test(rows.value) ? "application/json" : "text/csv";
    const query = explain.checked ? "?explain=true" : "";
    button.disabled = true;
    try {
      const found = await fetch(form.dataset.address + query, {
        method: "POST",
        headers: { "Content-Type": kind },
        body: rows.value,
      });
      answer.textContent = JSON.stringify(await found.json(), null, 2);
    } catch (error) {
      answer.textContent = String(error);
    }
    button.disabled = false;
  });
}
