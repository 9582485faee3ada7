import { createParser, type EventSourceMessage } from "eventsource-parser";
import { unreachable } from "./problems";

export interface ServerEvent {
	name: string;
	/** To resume after; null where the stream cannot be resumed. */
	id: string | null;
	data: unknown;
}

/** The events of a body as they arrive. It ends with the body; a body that breaks off is `unreachable`. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
	const arrived: EventSourceMessage[] = [];
	const parser = createParser({ onEvent: (event) => arrived.push(event) });
	const decoder = new TextDecoder();
	const reader = body.getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read().catch((error: unknown) => {
				throw error instanceof DOMException && error.name === "AbortError" ? error : unreachable();
			});
			if (done) return;
			parser.feed(decoder.decode(value, { stream: true }));
			for (const event of arrived.splice(0)) {
				yield { name: event.event ?? "message", id: event.id ?? null, data: JSON.parse(event.data) as unknown };
			}
		}
	} finally {
		await reader.cancel().catch(() => undefined); // whoever stops reading hangs up
	}
}
