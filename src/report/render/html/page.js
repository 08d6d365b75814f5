"use strict";
{
  const find = (selector) => document.querySelector(selector);
  const all = [...document.querySelectorAll("details.finding")];
  const filter = find("#filter"), shown = find("#shown"), none = find("#none"), more = find("#more"), help = find("#help");
  let parsed;
  const details = () => parsed ??= JSON.parse(find("#details").textContent);
  const numberOf = (element) => Number(element.id.slice(1));

  // Text is only ever set as text: what the program named is no markup.
  const make = (tag, className, ...parts) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...parts.filter((part) => part !== "" && part !== undefined));
    return element;
  };

  const source = (frame) => {
    const lines = details().sources[frame.file];
    if (frame.library || !lines?.[frame.line]) return "";
    const block = make("div", "source");
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", `${frame.file} around line ${frame.line}`);
    const near = [];
    for (let number = frame.line - 2; number <= frame.line + 2; number++) if (lines[number] !== undefined) near.push(number);
    const indents = near.filter((number) => lines[number].trim()).map((number) => lines[number].match(/^\s*/)[0].length);
    const indent = Math.min(...indents);
    for (const number of near) {
      const line = make("code", number === frame.line ? "here" : "", make("i", "", String(number)), lines[number].slice(indent) || " ");
      block.append(line);
    }
    return block;
  };

  const frameOf = (frame) => {
    const head = make("p", "", make("span", "fn", frame.function), " ", make("span", "at", `${frame.file}:${frame.line}`));
    return make("li", "frame", head, source(frame));
  };

  // Libraries' frames in a row are one line; the innermost frame is shown in any case.
  const stackOf = (numbers) => {
    const list = make("ol", "");
    let folded = [];
    const unfold = () => {
      if (!folded.length) return;
      const names = [...new Set(folded.map((frame) => frame.file.split(/site-packages\/|lib\/python3[^/]*\//).pop().split("/")[0].replace(/\.py$/, "")))];
      const inner = make("ol", "", ...folded.map(frameOf));
      const count = folded.length === 1 ? "1 frame" : `${folded.length} frames`;
      list.append(make("li", "folded", make("details", "", make("summary", "", `${count} of ${names.slice(0, 4).join(", ")}`), inner)));
      folded = [];
    };
    numbers.map((number) => details().frames[number]).forEach((frame, at) => {
      if (frame.via) {
        unfold();
        list.append(make("li", "via", frame.via));
      }
      if (frame.library && at > 0) folded.push(frame);
      else {
        unfold();
        list.append(frameOf(frame));
      }
    });
    unfold();
    return list;
  };

  const sideOf = (side) => {
    const by = side.thread === undefined ? "" : ` by thread ${side.thread}`;
    const card = make("div", `side ${side.role}`, make("h3", "", make("b", "", side.heading), by), stackOf(side.stack));
    card.setAttribute("role", "group");
    card.setAttribute("aria-label", side.heading + by);
    if (side.started.length) card.append(make("h4", "", "that thread was started at"), stackOf(side.started));
    return card;
  };

  const lasting = (microseconds) => {
    const [unit, each] = [["µs", 1], ["ms", 1e3], ["s", 1e6], ["min", 6e7], ["h", 3.6e9]].findLast(([, each]) => microseconds >= each) ?? ["µs", 1];
    return `${Number((microseconds / each).toPrecision(3))} ${unit}`;
  };

  // Threads that are not of the finding and lived as it was made: so many are shown.
  const OTHERS = 5;
  // Nearest and farthest end of what is shown may be so far apart, as seen from the event: else the nearest could not be seen.
  const RATIO = 20;
  const reach = (distances) => {
    const near = Math.min(...distances.filter((distance) => distance > 0));
    return Math.max(1, Math.min(...[Math.max(0, ...distances), near * RATIO].filter(Number.isFinite)));
  };

  const timelineOf = (one) => {
    if (!one.made) return "";
    const [pid, at] = one.made;
    const spans = details().spans.filter((span) => span.pid === pid);
    const end = Math.max(at, ...spans.map((span) => span.to ?? span.from));
    const lives = spans.filter((span) => !span.run);
    // A thread's number is another thread's later on: the life that had begun last before the event.
    const lifeOf = (id) => lives.filter((span) => span.id === id && span.from <= at).sort((a, b) => b.from - a.from)[0];
    const lanes = new Map();
    for (const side of one.sides) {
      if (side.id === undefined) continue;
      const lane = lanes.get(side.id) ?? { name: side.thread, life: lifeOf(side.id), roles: [] };
      lane.roles.push(side);
      lanes.set(side.id, lane);
    }
    const shown = [...lanes.values()].map((lane) => lane.life).filter(Boolean);
    const before = reach(shown.map((life) => at - life.from)), after = reach(shown.map((life) => (life.to ?? end) - at));
    const others = lives.filter((span) => !lanes.has(span.id) && span.from <= at && (span.to ?? end) >= at);
    for (const life of others.slice(0, OTHERS)) lanes.set(life.id, { name: life.thread, life, roles: [] });
    const percent = (time) => Math.min(100, Math.max(0, (100 * (time - at + before)) / (before + after)));
    const bar = (span, className) => {
      const element = make("i", className);
      element.style.left = `${percent(span.from)}%`;
      element.style.width = `${percent(span.to ?? end) - percent(span.from)}%`;
      return element;
    };
    const rows = [...lanes].map(([id, lane]) => {
      const runs = spans.filter((span) => span.run && span.id === id && span.from - at <= after && at - (span.to ?? end) <= before);
      const track = make("span", "track", ...(lane.life ? [bar(lane.life, "life")] : []), ...runs.map((run) => bar(run, "run")));
      for (const side of lane.roles) {
        const mark = make("i", `mark ${side.role}`);
        mark.style.left = `${percent(Math.min(at, lane.life?.to ?? at))}%`;
        if (side.role !== "created") track.append(mark);
      }
      const now = make("i", "now");
      now.style.left = `${percent(at)}%`;
      track.append(now);
      track.setAttribute("aria-hidden", "true");
      const current = runs.find((run) => run.from <= at && (run.to ?? end) >= at);
      // That an owner runs the loop is said with the loop.
      const does = lane.roles.filter((side) => side.role !== "created" && !(current && side.role === "owner"));
      const done = [...new Set(does.map((side) => side.heading))];
      if (current) done.push(`runs ${current.run.split(".").pop()}`);
      if (lane.life) done.push(`began ${lasting(at - lane.life.from)} before`);
      if (lane.life?.to !== undefined) done.push(lane.life.to < at ? `had ended ${lasting(at - lane.life.to)} before` : `ended ${lasting(lane.life.to - at)} after`);
      return make("li", "", make("span", "name", lane.name), track, make("span", "told", done.join(", ")));
    });
    const left = others.length - OTHERS;
    const earlier = one.sides.some((side) => side.role === "earlier") ? "; when the earlier access was is not known, only that it was before" : "";
    const head = make("figcaption", "", make("b", "", "In time: "), `${lasting(before)} before to ${lasting(after)} after it was found${earlier}`);
    const figure = make("figure", "timeline", head, make("ol", "", ...rows), left > 0 ? make("p", "", left === 1 ? "and 1 more thread" : `and ${left} more threads`) : "");
    return figure;
  };

  const accept = (one) => `[[suppress]]\nrule = "${one.rule}"\nfingerprint = "${one.fingerprint}"\nreason = ""`;

  const bodyOf = (one) => {
    const facts = make("dl", "more");
    const likewise = (one.locations ?? []).map((more) => make("li", "", `${more.what}${more.count > 1 ? `, ${more.count} times` : ""}`, stackOf(more.stack)));
    const fact = (name, value) => value && facts.append(make("dt", "", name), make("dd", "", value));
    fact("likewise", likewise.length > 0 && make("ul", "", ...likewise));
    fact("object", make("code", "", one.object));
    fact("loop of", one.loop);
    fact("package", one.package && `${one.package}: to be reported there`);
    fact("tests", one.tests.join(", "));
    fact("processes", one.pids.length > 20 ? `${one.pids.length}, among them ${one.pids.slice(0, 20).join(", ")}` : one.pids.join(", "));
    const copy = make("button", "", "Copy as suppression");
    copy.type = "button";
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(accept(one));
        copy.textContent = "Copied";
      } catch {
        copy.replaceWith(make("code", "", accept(one)));
      }
    });
    fact("fingerprint", make("span", "", make("code", "", one.fingerprint), " ", copy));
    const page = details().rules[one.rule];
    const manual = page === undefined ? "" : make("details", "manual", make("summary", "", `What ${one.rule} means`), make("pre", "", page));
    return make("div", "body", make("div", "sides", ...one.sides.map(sideOf)), timelineOf(one), make("p", "advice", make("b", "", "Fix: "), one.fix), facts, manual);
  };

  const fill = (element) => {
    if (element.open && !element.dataset.filled) {
      element.dataset.filled = "yes";
      element.append(bodyOf(details().findings[numberOf(element)]));
    }
  };
  all.forEach((element) => element.addEventListener("toggle", () => fill(element)));

  let texts;
  const textOf = (element) => {
    texts ??= new Map();
    let text = texts.get(element);
    if (text === undefined) {
      const one = details().findings[numberOf(element)];
      const further = one.locations ?? [];
      const shown = [...one.sides.flatMap((side) => [...side.stack, ...side.started]), ...further.flatMap((more) => more.stack)];
      const frames = [...new Set(shown)].map((number) => details().frames[number]);
      const words = frames.map((frame) => `${frame.file}:${frame.line} ${frame.function}`);
      const threads = one.sides.map((side) => `${side.heading} ${side.thread ?? ""}`);
      text = [element.firstElementChild.textContent, one.rule, details().rules[one.rule]?.split("\n", 1)[0], one.fingerprint, ...one.tests, ...further.map((more) => more.what), ...threads, ...words].join("\n").toLowerCase();
      texts.set(element, text);
    }
    return text;
  };

  // So many are laid out; more once the reader comes to the end.
  const PAGE = 300;
  let limit = PAGE;
  const severityOf = (element) => "accepted" in element.dataset ? "accepted" : element.classList[1];
  const sections = new Map([...document.querySelectorAll("main > section")].map((section) => [section, section.querySelector(".count")]));
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set([...document.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const counts = new Map();
    let count = 0;
    for (const element of all) {
      const fits = wanted.has(severityOf(element)) && words.every((word) => textOf(element).includes(word));
      const hidden = !fits || count >= limit;
      if (element.hidden !== hidden) element.hidden = hidden;
      count += fits;
      if (fits) counts.set(element.parentElement, (counts.get(element.parentElement) ?? 0) + 1);
    }
    for (const [section, label] of sections) {
      section.hidden = !counts.has(section);
      label.textContent = counts.get(section) ?? 0;
    }
    none.hidden = count > 0;
    more.hidden = count <= limit;
    shown.textContent = all.length ? `${count} of ${all.length}` : "";
    history.replaceState(null, "", words.length ? `#q=${encodeURIComponent(filter.value)}` : location.pathname + location.search);
  };
  const grow = () => {
    limit += PAGE;
    show();
  };
  const anew = () => {
    limit = PAGE;
    show();
  };
  more.addEventListener("click", grow);
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && grow(), { rootMargin: "1000px" }).observe(more);
  let pending = 0;
  filter.addEventListener("input", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(anew);
  });
  document.querySelectorAll("[name=severity]").forEach((box) => box.addEventListener("change", anew));
  find("#all").addEventListener("click", () => all.filter((element) => !element.hidden).slice(0, 50).forEach((element) => element.open = true));
  find("#keys").addEventListener("click", () => help.showModal());

  const step = (by) => {
    const current = () => all.filter((element) => !element.hidden);
    let visible = current();
    const at = visible.findIndex((element) => element.contains(document.activeElement));
    if (at + by >= visible.length && !more.hidden) {
      grow();
      visible = current();
    }
    const next = visible[at < 0 ? (by > 0 ? 0 : visible.length - 1) : Math.min(Math.max(at + by, 0), visible.length - 1)];
    next?.firstElementChild.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === filter) {
      if (event.key === "Escape") {
        filter.value = "";
        anew();
        filter.blur();
      }
      return;
    }
    const act = { j: () => step(1), k: () => step(-1), "/": () => filter.focus(), "?": () => help.showModal() }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  if (location.hash.startsWith("#q=")) filter.value = decodeURIComponent(location.hash.slice(3));
  show();
}
