/** What was made of the last texts: it is asked for at each pause, of much that has not changed. */
export function remembering<Made>(most: number): (text: string, make: () => Made) => Made {
	const known = new Map<string, Made>();
	return (text, make) => {
		const made = known.get(text) ?? make();
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
