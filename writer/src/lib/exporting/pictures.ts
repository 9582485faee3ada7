import { typeOf } from "$lib/image";

/** An image of a draft, with what formats need to know of it. Width and height in px. */
export interface Picture {
	type: string;
	bytes: Uint8Array<ArrayBuffer>;
	width: number;
	height: number;
}

/**
 * The images of a draft, by name. Those that are elsewhere are not fetched; those that cannot be had are missing.
 *
 * Args:
 *     image: Where the draft's images are; null where it has none of that name.
 */
export async function loadPictures(
	names: Iterable<string>,
	image: (name: string) => Promise<Blob | null>,
): Promise<{ pictures: Map<string, Picture>; missing: string[] }> {
	const pictures = new Map<string, Picture>();
	const missing: string[] = [];
	for (const name of new Set(names)) {
		const picture = await loadPicture(name, image);
		if (picture) pictures.set(name, picture);
		else missing.push(name);
	}
	return { pictures, missing };
}

/** Whether an image is not the draft's own: it is not fetched, for nobody should learn that a draft is exported. */
export const isElsewhere = (name: string): boolean => /^([a-z][a-z0-9+.-]*:|\/)/i.test(name);

async function loadPicture(name: string, image: (name: string) => Promise<Blob | null>): Promise<Picture | null> {
	if (isElsewhere(name)) return null;
	// A draft's own lie in a folder beside it, as the editor writes them.
	const blob = await image(name.replace(/^(\.\/)?images\//, "")).catch(() => null);
	if (!blob) return null;
	const bytes = new Uint8Array(await blob.arrayBuffer());
	const type = typeOf(bytes);
	if (!type) return null;
	// What the browser cannot draw, nobody could see in the draft either.
	const bitmap = await createImageBitmap(new Blob([bytes], { type })).catch(() => null);
	if (!bitmap) return null;
	const { width, height } = bitmap;
	bitmap.close();
	return { type, bytes, width, height };
}

/** The same picture as PNG: Word knows neither WebP nor AVIF. */
export async function asPNG(picture: Picture): Promise<Picture> {
	const bitmap = await createImageBitmap(new Blob([picture.bytes], { type: picture.type }));
	const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
	canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
	bitmap.close();
	const blob = await canvas.convertToBlob({ type: "image/png" });
	return { ...picture, type: "image/png", bytes: new Uint8Array(await blob.arrayBuffer()) };
}
