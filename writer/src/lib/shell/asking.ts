/** `fetch` by way of the desktop program: it adds the key, and asks the Extrophi that was chosen and no other. */
import { Channel } from "@tauri-apps/api/core";
import { commands } from "./commands";

/** What requests are addressed to. It is nowhere: where Extrophi is, the program knows. */
export const BASE = "http://extrophi.localhost";

interface Head {
	status: number;
	headers: [string, string][];
	/** Whether the body comes by the channel, bit by bit. */
	stream: boolean;
}

const BODILESS = new Set([204, 205, 304]);
/** From anywhere: the page before a reload counted, too, and its answers may still be under way. */
let asked = Math.floor(Math.random() * 2 ** 40);

export async function ask(request: Request): Promise<Response> {
	const { signal } = request;
	signal.throwIfAborted();
	const id = (asked += 1);
	const stop = (): void => void commands.cancel(id);
	signal.addEventListener("abort", stop);
	const question = {
		id,
		method: request.method,
		path: request.url.slice(BASE.length),
		headers: [...request.headers],
	};
	// Before the head is here the body may begin to come.
	const channel = new Channel<ArrayBuffer | null>();
	const body = stream(channel, signal, stop);
	try {
		const bytes = await commands.ask(question, channel, await request.arrayBuffer());
		signal.throwIfAborted();
		const length = new DataView(bytes).getUint32(0);
		const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as Head;
		if (head.stream) return new Response(body, head);
		signal.removeEventListener("abort", stop);
		return new Response(BODILESS.has(head.status) ? null : bytes.slice(4 + length), head);
	} catch (error) {
		signal.removeEventListener("abort", stop);
		signal.throwIfAborted();
		throw error;
	}
}

function stream(
	channel: Channel<ArrayBuffer | null>,
	signal: AbortSignal,
	stop: () => void,
): ReadableStream<Uint8Array> {
	return new ReadableStream<Uint8Array>({
		start(controller) {
			let ended = false;
			const end = (how: () => void): void => {
				if (ended) return;
				ended = true;
				signal.removeEventListener("abort", stop);
				how();
			};
			signal.addEventListener("abort", () => end(() => controller.error(signal.reason)));
			channel.onmessage = (bytes) => {
				if (ended) return;
				if (bytes === null) end(() => controller.error(new TypeError("The answer broke off.")));
				else if (bytes.byteLength === 0) end(() => controller.close());
				else controller.enqueue(new Uint8Array(bytes));
			};
		},
		cancel: stop,
	});
}
