// The page as HTML, as far as `most` characters and `nodes` nodes: `html` is null beyond. Shadow trees stand in their
// hosts' place, their slots filled, as a reader sees them. Without recursion: nesting may be endless.
(most, nodes) => {
  const VOID = new Set([
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
  ]);
  const RAW = new Set(["script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext", "noscript"]);
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/\u00a0/g, "&nbsp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const parts = [];
  let size = 0;
  let count = 0;
  const put = (text) => {
    size += text.length;
    parts.push(text);
  };
  const within = (node) => {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    if (node.localName === "slot" && node.assignedNodes) {
      const assigned = node.assignedNodes();
      if (assigned.length) return assigned;
    }
    return node.localName === "template" && node.content ? node.content.childNodes : node.childNodes;
  };
  const waiting = [...document.childNodes].reverse();
  while (waiting.length) {
    const node = waiting.pop();
    if (typeof node === "string") {
      put(node);
    } else if (++count > nodes) {
      size = Infinity;
    } else if (node.nodeType === Node.DOCUMENT_TYPE_NODE) {
      put(`<!doctype ${node.name}>`);
    } else if (node.nodeType === Node.TEXT_NODE) {
      if (size + node.length > most) size = Infinity;
      else put(node.parentNode && RAW.has(node.parentNode.localName) ? node.data : escaped(node.data));
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      const name = /^[a-z][\w:.-]*$/i.test(node.localName) ? node.localName : "span";
      put(`<${name}`);
      for (const attribute of node.attributes) {
        if (size + attribute.value.length > most) {
          size = Infinity;
          break;
        }
        if (/^[^\s"'<>\/=\0]+$/.test(attribute.name)) put(` ${attribute.name}="${escaped(attribute.value).replace(/"/g, "&quot;")}"`);
      }
      put(">");
      if (!VOID.has(name)) {
        waiting.push(`</${name}>`);
        const children = within(node);
        if (count + waiting.length + children.length > nodes * 2) size = Infinity;
        else for (let at = children.length - 1; at >= 0; at--) waiting.push(children[at]);
      }
    }
    if (size > most) return { html: null, status: 0, height: 0 };
  }
  const root = document.documentElement;
  return {
    html: parts.join(""),
    status: performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0,
    height: Math.max(root?.scrollHeight ?? 0, document.body?.scrollHeight ?? 0),
  };
}
