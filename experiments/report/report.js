document.querySelectorAll("table.sortable th").forEach((head) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...head.childNodes);
  head.append(button);
  button.addEventListener("click", () => {
    const table = head.closest("table");
    const column = head.cellIndex;
    const up = head.getAttribute("aria-sort") !== "ascending";
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.order ?? row.cells[column].textContent.trim();
    const missing = (text) => text === "" || text === "–";
    const compare = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (missing(a) || missing(b)) return missing(a) - missing(b);
      const difference = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      return up ? difference : -difference;
    };
    const body = table.tBodies[0];
    body.append(...Array.from(body.rows).sort(compare));
  });
});
