/// What makes a report's page look and move; nothing of it is fetched.
enum ReportPage {
  static let style = """

    :root { --page: #fff; --text: #1b1f24; --faint: #59636e; --line: #d5dae0; --shade: #f4f6f8;
      --accent: #0b63ce; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #14171b; --text: #e4e8ec; --faint: #9aa5b1; --line: #343b43; --shade: #1e2329;
        --accent: #6cb0ff; }
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--text);
      font: 15px/1.5 system-ui, sans-serif; }
    main { max-width: 1400px; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
    h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
    h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
    nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; }
    a { color: var(--accent); }
    pre { background: var(--shade); padding: .7rem; overflow-x: auto; }
    .note { border-left: 3px solid var(--accent); padding-left: .8rem; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
      white-space: nowrap; }
    .n { text-align: right; }
    td { font-size: .92rem; }
    th { background: var(--shade); padding: 0; white-space: normal; vertical-align: bottom; }
    th button { all: unset; box-sizing: border-box; width: 100%; padding: .3rem .7rem;
      cursor: pointer; font-weight: 600; }
    th button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); }
    th[aria-sort="ascending"] button::after { content: " ▲"; }
    th[aria-sort="descending"] button::after { content: " ▼"; }
    tbody tr:hover { background: var(--shade); }
    .filter { display: flex; gap: .8rem; align-items: center; margin: .3rem 0; color: var(--faint); }
    input { font: inherit; color: inherit; background: var(--shade); padding: .15rem .5rem;
      border: 1px solid var(--line); border-radius: 4px; }
    figure { margin: 1rem 0; overflow-x: auto; }
    figure svg { max-width: none; }
    figure svg > rect { fill: none; }
    figure svg text { fill: var(--text); }
    figure .role-axis-grid line, figure .role-axis-domain line, figure .role-axis-tick line {
      stroke: var(--line); }
    [aria-roledescription="point"]:hover, [aria-roledescription="bar"]:hover {
      stroke: var(--text); stroke-width: 2; }
    #tip { position: fixed; z-index: 1; max-width: 30rem; pointer-events: none; padding: .3rem .6rem;
      color: var(--page); background: var(--text); border-radius: 4px; font-size: .85rem; }
    #tip[hidden] { display: none; }

    """

  static let script = """

    "use strict";
    // Numbers by their value, other cells as text; empty cells and texts among numbers come last.
    function keyOf(row, column) {
      const cell = row.cells[column];
      const text = cell.dataset.value ?? cell.textContent;
      const number = text.trim() === "" ? NaN : Number(text);
      return { number, text };
    }
    function compare(a, b, direction) {
      const [hasA, hasB] = [!Number.isNaN(a.number), !Number.isNaN(b.number)];
      if (hasA && hasB) return direction * (a.number - b.number);
      if (hasA !== hasB) return hasA ? -1 : 1;
      if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1;
      return direction * a.text.localeCompare(b.text, "en", { numeric: true });
    }
    function sort(table, heading) {
      const column = heading.cellIndex;
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
      rows.sort((a, b) => compare(a.key, b.key, direction));
      body.append(...rows.map(({ row }) => row));
    }
    // A row stays while every word of the filter is in it.
    function filter(table, words, count) {
      const wanted = words.toLowerCase().split(/\\s+/).filter((word) => word !== "");
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
        row.hidden = !wanted.every((word) => text.includes(word));
        if (!row.hidden) shown += 1;
      }
      count.textContent = `${shown} of ${table.tBodies[0].rows.length} rows`;
    }
    for (const table of document.querySelectorAll("table")) {
      for (const heading of table.tHead.rows[0].cells) {
        heading.firstElementChild.addEventListener("click", () => sort(table, heading));
      }
      if (table.tBodies[0].rows.length < 5) continue;
      const bar = document.createElement("div");
      bar.className = "filter";
      const input = document.createElement("input");
      input.type = "search";
      input.placeholder = "filter";
      input.setAttribute("aria-label", "Show rows that have all of these words");
      const count = document.createElement("span");
      count.setAttribute("role", "status");
      input.addEventListener("input", () => filter(table, input.value, count));
      bar.append(input, count);
      table.parentElement.before(bar);
    }
    // Marks of the drawings say what they stand for.
    const tip = document.getElementById("tip");
    document.addEventListener("pointermove", (event) => {
      const mark = event.target instanceof Element
        ? event.target.closest('figure [aria-roledescription="point"], figure [aria-roledescription="bar"]')
        : null;
      const text = mark?.getAttribute("aria-label") ?? "";
      tip.hidden = text === "";
      if (tip.hidden) return;
      tip.textContent = text;
      tip.style.left = `${Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
    });
    document.addEventListener("pointerleave", () => { tip.hidden = true; });

    """
}
