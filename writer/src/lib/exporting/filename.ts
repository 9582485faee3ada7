/** A file's name for a title: any system takes it (Windows is the strictest), and it is no way out of a folder, nor a command of a shell's. */
export function fileName(title: string, otherwise: string): string {
	const safe = title
		.replace(/[\\/:*?"<>|$`\p{C}]+/gu, " ")
		.replace(/\s+/g, " ")
		.replace(/^[. ]+|[. ]+$/g, "");
	const short = Array.from(safe).slice(0, 80).join("").trim();
	if (!short) return otherwise;
	return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(short) ? `_${short}` : short;
}
