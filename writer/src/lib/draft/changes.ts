/** The channel by which the windows of a browser tell each other that a draft was saved: `{ id }`. */
export const CHANGES = "extrophi-drafts";
