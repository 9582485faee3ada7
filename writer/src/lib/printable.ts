/** A text without what no document may hold: XML has no control characters (XML 1.0, 2.2), nor halves of pairs. */
export function printable(text: string): string {
	// eslint-disable-next-line no-control-regex -- they are what we look for
	return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufdd0-\ufdef\ufffe\uffff]|\p{Cs}/gu, "\ufffd");
}

/** On one line, and turning no direction but its own (an override would turn what comes after it, too). */
export function oneLine(text: string): string {
	return printable(text)
		.replace(/[\u202a-\u202e\u2066-\u2069]/g, "")
		.replace(/[\s\u0085\u2028\u2029]+/g, " ")
		.trim();
}
