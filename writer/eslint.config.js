import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

export default ts.config(
	{ ignores: ["dist", "node_modules", "src-tauri", "src/lib/api/schema.d.ts"] },
	js.configs.recommended,
	...ts.configs.strictTypeChecked,
	...svelte.configs.recommended,
	{
		languageOptions: {
			globals: { ...globals.browser, ...globals.node },
			parserOptions: {
				projectService: { allowDefaultProject: ["*.js", "image/*.mjs"] },
				extraFileExtensions: [".svelte"],
			},
		},
		rules: {
			// A number in a text is as clear as it gets.
			"@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
			// Event handlers that start work and let it go on: what fails there is shown by what it works for.
			"@typescript-eslint/no-confusing-void-expression": "off",
			"@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
			// Collected text is never put into the page as HTML, except by the one place that sanitises.
			"svelte/no-at-html-tags": "error",
			// What never changes, or is not drawn, needs no reactive twin; what does is seen at once when it stands still.
			"svelte/prefer-svelte-reactivity": "off",
			// Routes are fragments of one page.
			"svelte/no-navigation-without-resolve": "off",
		},
	},
	{
		files: ["**/*.svelte", "**/*.svelte.ts"],
		languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
	},
	{ files: ["*.js", "image/*.mjs"], extends: [ts.configs.disableTypeChecked] },
);
