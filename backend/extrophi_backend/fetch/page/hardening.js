// Run in every frame before its own scripts: what a reader has no use for, and what goes out by other ways than HTTP.
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "RTCDataChannel", "WebTransport", "Notification"]) {
  delete window[name];
}
window.print = () => {};
