/** What a function made of the last texts it was given: it is called at each pause with much that has not changed. */
export function remembering<Made>(make: (text: string) => Made, most: number): (text: string) => Made {
	const known = new Map<string, Made>();
	return (text) => {
		const made = known.get(text) ?? make(text);
		// In the order of their last use: the first is the one that nobody asked for longest.
		known.delete(text);
		known.set(text, made);
		for (const [oldest] of known) {
			if (known.size <= most) break;
			known.delete(oldest);
		}
		return made;
	};
}
