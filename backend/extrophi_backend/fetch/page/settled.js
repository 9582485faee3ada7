// Resolves to how many characters the page shows, as far as `enough`: once it has loaded and shows so many, or has not
// changed for `quiet` seconds; at the latest after `most`.
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
      const loaded = document.readyState === "complete";
      const finished = loaded && now - changed >= quiet * 1000;
      if (finished || (loaded && shown() >= enough) || now - started >= most * 1000) {
        watch.disconnect();
        resolve(shown());
      } else {
        setTimeout(look, 50);
      }
    };
    look();
  })
