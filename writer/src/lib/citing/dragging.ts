/** The media type of a passage on its way from the evidence into the text: a `Cited` as JSON. */
export const DRAGGED = "application/x-extrophi-cited";
