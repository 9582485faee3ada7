// Resolves once the page has loaded and not changed for `quiet` seconds, at the latest after `most`: to how many
// characters it shows, as far as `enough`.
(quiet, most, enough) =>
  new Promise((resolve) => {
    const shown = () => {
      let count = 0;
      if (!document.body) return count;
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node && count < enough; node = walker.nextNode()) {
        const within = node.parentNode.nodeName;
        if (within !== "SCRIPT" && within !== "STYLE" && within !== "NOSCRIPT") count += node.data.trim().length;
      }
      return count;
    };
    const started = performance.now();
    let changed = started;
    const watch = new MutationObserver(() => {
      changed = performance.now();
    });
    watch.observe(document, { childList: true, characterData: true, subtree: true });
    const look = () => {
      const now = performance.now();
      const finished = document.readyState === "complete" && now - changed >= quiet * 1000;
      if (finished || now - started >= most * 1000) {
        watch.disconnect();
        resolve(shown());
      } else {
        setTimeout(look, 50);
      }
    };
    look();
  })
