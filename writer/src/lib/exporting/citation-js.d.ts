declare module "@citation-js/core" {
	export const plugins: { input: { chain(input: string, options: object): unknown } };
}
declare module "@citation-js/plugin-bibtex";
declare module "@citation-js/plugin-ris";
