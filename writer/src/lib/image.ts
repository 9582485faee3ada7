/** What an image is. Its name and what a browser says of its type may say anything. */

/** How names of images end, by the types that drafts may have. */
export const ENDINGS: Readonly<Record<string, string>> = {
	"image/png": "png",
	"image/jpeg": "jpg",
	"image/gif": "gif",
	"image/webp": "webp",
	"image/avif": "avif",
};

/** Its type, by its first bytes, as the server tells it (WHATWG MIME Sniffing, 6.1; AV1 Image File Format, 6); null for none. */
export function typeOf(bytes: Uint8Array): string | null {
	const head = String.fromCharCode(...bytes.subarray(0, 256));
	if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
	if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
	if (/^GIF8[79]a/.test(head)) return "image/gif";
	if (/^RIFF[^]{4}WEBPVP/.test(head)) return "image/webp";
	if (!/^[^]{4}ftyp/.test(head)) return null;
	const end = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), head.length);
	const brands = [head.slice(8, 12)];
	for (let at = 16; at < end; at += 4) brands.push(head.slice(at, at + 4));
	return brands.some((brand) => brand === "avif" || brand === "avis") ? "image/avif" : null;
}
