// The page as HTML, as far as `most` characters and `nodes` nodes: `html` is null beyond. Shadow trees stand in their
// hosts' place, their slots filled, as a reader sees them. Without recursion: nesting may be endless. Code that runs
// once is slow: nothing is asked of a node, and nothing replaced, without need.
(most, nodes) => {
  const VOID = new Set([
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
  ]);
  const RAW = new Set(["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript"]);
  const ESCAPES = { "&": "&amp;", "\u00a0": "&nbsp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const escape = (one) => ESCAPES[one];
  const escaped = (text) => (/[&\u00a0<>]/.test(text) ? text.replace(/[&\u00a0<>]/g, escape) : text);
  const quoted = (text) => (/[&\u00a0<>"]/.test(text) ? text.replace(/[&\u00a0<>"]/g, escape) : text);
  const remembered = (pattern) => {
    const known = new Map();
    return (name) => {
      if (!known.has(name)) known.set(name, pattern.test(name));
      return known.get(name);
    };
  };
  const isElementName = remembered(/^[a-z][\w:.-]*$/i);
  const isAttributeName = remembered(/^[^\s"'<>\/=\0]+$/);
  const within = (node, name) => {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    if (name === "slot" && node.assignedNodes) {
      const assigned = node.assignedNodes();
      if (assigned.length) return assigned;
    }
    return name === "template" && node.content ? node.content.childNodes : node.childNodes;
  };
  let html = "";
  let count = 0;
  let isTooLarge = false;
  const waiting = [...document.childNodes].reverse();
  while (waiting.length && !isTooLarge) {
    const node = waiting.pop();
    if (typeof node === "string") {
      html += node;
    } else if (++count > nodes) {
      isTooLarge = true;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      const name = isElementName(node.localName) ? node.localName : "span";
      html += `<${name}`;
      for (const attribute of node.getAttributeNames()) {
        const value = node.getAttribute(attribute) ?? ""; // none, of a name that scripts wrote in capitals
        isTooLarge ||= html.length + value.length > most;
        if (isTooLarge) break;
        if (isAttributeName(attribute)) html += ` ${attribute}="${quoted(value)}"`;
      }
      html += ">";
      if (!VOID.has(name)) {
        waiting.push(`</${name}>`);
        const children = within(node, name);
        isTooLarge ||= count + waiting.length + children.length > nodes * 2;
        for (let at = children.length - 1; at >= 0 && !isTooLarge; at--) waiting.push(children[at]);
      }
    } else if (node.nodeType === Node.TEXT_NODE) {
      isTooLarge = html.length + node.length > most;
      if (!isTooLarge) html += RAW.has(node.parentNode?.localName) ? node.data : escaped(node.data);
    } else if (node.nodeType === Node.DOCUMENT_TYPE_NODE) {
      html += `<!doctype ${node.name}>`;
    }
    isTooLarge ||= html.length > most;
  }
  const root = document.documentElement;
  const visit = performance.getEntriesByType("navigation")[0];
  return {
    html: isTooLarge ? null : html,
    url: visit?.name ?? document.URL, // where it was led to, whatever its scripts have made of the address since
    came: !document.URL.startsWith("chrome-error:"),
    type: document.contentType,
    status: visit?.responseStatus ?? 0,
    height: Math.max(root?.scrollHeight ?? 0, document.body?.scrollHeight ?? 0),
  };
}
