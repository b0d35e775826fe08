const OPTIONS = { actions: false, renderer: "svg", tooltip: { disableDefaultStyle: false } };

/** Draw a chart from its specification in place of its picture. */
export async function draw(chart, specification) {
  const drawn = document.createElement("div");
  drawn.className = "chart";
  drawn.style.position = "absolute";
  drawn.style.visibility = "hidden";
  chart.append(drawn);
  const { view } = await vegaEmbed(drawn, specification, OPTIONS);
  chart.view?.finalize();
  chart.view = view;
  // What finds the point next to the pointer is no mark for those who listen.
  for (const area of drawn.querySelectorAll(".mark-path[class$=voronoi]")) area.ariaHidden = "true";
  drawn.removeAttribute("style");
  chart.replaceChildren(...chart.querySelectorAll(":scope > script"), drawn);
}

/** Sort the rows of a table by a column: as numbers where all cells are numbers, empty ones last. */
function sort(table, column, heading) {
  const descending = heading.ariaSort === "ascending";
  for (const each of table.querySelectorAll("thead th[aria-sort]")) each.removeAttribute("aria-sort");
  heading.ariaSort = descending ? "descending" : "ascending";
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const rows = [...table.tBodies[0].rows];
  const numbers = rows.every((row) => key(row) === "" || !Number.isNaN(Number(key(row))));
  const sign = descending ? -1 : 1;
  rows.sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === "" || right === "") return (left === "") - (right === "");
    return sign * (numbers ? left - right : left.localeCompare(right));
  });
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(table, column, heading));
    heading.append(button);
  });
}

for (const chart of document.querySelectorAll(".chart:has(> script)")) {
  await draw(chart, JSON.parse(chart.querySelector("script").textContent));
}
