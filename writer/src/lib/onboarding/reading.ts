import type { NamedFile } from "$lib/sources/targets";

const TEXTS = import.meta.glob<string>("./reading/*", { query: "?raw", import: "default", eager: true });

/** The example texts (examples/reading of the repository), as files. The library has them under `reading/…`. */
export function exampleFiles(): NamedFile[] {
	return Object.entries(TEXTS).map(([path, text]) => {
		const name = path.replace(/^\.\//, "");
		return { name, file: new File([text], name) };
	});
}
