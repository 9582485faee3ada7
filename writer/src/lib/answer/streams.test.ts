/** Questions and investigations against a real server on this machine that speaks our wire format, and breaks off as real ones do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "$lib/api/client";
import { Asking } from "./asking.svelte";
import { Investigating } from "./investigating.svelte";
import { WHOLE_LIBRARY } from "./models";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let api: Api;
let answers: Answer[];
let seen: IncomingMessage[];

beforeEach(async () => {
	[answers, seen] = [[], []];
	server = createServer((request, response) => {
		seen.push(request);
		request.resume();
		const answer = answers.shift();
		if (answer) answer(request, response);
		else response.writeHead(503, { "Content-Type": "application/problem+json" }).end('{"code": "out_of_reach"}');
	});
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	api = new Api({
		base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		ask: null,
		outside: "",
		name: "",
	});
});
afterEach(() => {
	server.closeAllConnections();
	server.close();
});

const event = (name: string, data: unknown, id?: number): string =>
	`event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Events and an end; `open` leaves the connection open, `broken` tears it. */
function streamed(events: string[], end: "ended" | "open" | "broken" = "ended"): Answer {
	return (_request, response) => {
		response.writeHead(200, { "Content-Type": "text/event-stream" });
		response.write(events.join(""), () => {
			if (end === "ended") response.end();
			if (end === "broken") setTimeout(() => response.destroy(), 20);
		});
	};
}

const CITATION = { n: 1, document_id: "d", title: "A" };
const DONE = {
	answer: "So it is. [1]",
	citations: [CITATION],
	abstained: false,
	model: "m",
	searched: {},
	degraded: null,
};

describe("a question", () => {
	const ask = (id: string): Asking => new Asking(id, "Why?", WHOLE_LIBRARY);

	it("tells its answer as it comes, then whole", async () => {
		answers = [streamed([event("citations", [CITATION]), event("delta", { text: "So it" }), event("done", DONE)])];
		const asking = ask("a");
		await asking.run(api);
		expect([asking.phase, asking.text, asking.citations]).toEqual(["done", DONE.answer, [CITATION]]);
		expect(seen[0]?.headers.accept).toBe("text/event-stream");
	});

	it("keeps what was said when it is stopped, and lets the server know", async () => {
		answers = [streamed([event("delta", { text: "So" })], "open")];
		const asking = ask("a");
		const running = asking.run(api);
		await vi.waitFor(() => expect(asking.text).toBe("So"));
		asking.stop();
		await running;
		expect([asking.phase, asking.text]).toEqual(["stopped", "So"]);
		await vi.waitFor(() => expect(seen[0]?.socket.destroyed).toBe(true));
	});

	it("tells what went wrong, before, on the way and by an end in the middle", async () => {
		answers = [
			(_request, response) => response.writeHead(422).end(JSON.stringify({ code: "invalid_input", detail: "No." })),
			streamed([
				event("delta", { text: "So" }),
				event("error", { status: 502, code: "answer_broke_off", detail: "x" }),
			]),
			streamed([event("delta", { text: "So" })]),
			streamed([event("delta", { text: "So" })], "broken"),
		];
		const codes = [];
		for (let n = 0; n < 4; n++) {
			const asking = ask(String(n));
			await asking.run(api);
			codes.push([asking.phase, asking.problem?.code]);
		}
		expect(codes).toEqual([
			["failed", "invalid_input"],
			["failed", "answer_broke_off"],
			["failed", "answer_cut_off"],
			["failed", "unreachable"],
		]);
	});

	it("never tells in another what comes late for it", async () => {
		let late: ServerResponse | undefined;
		answers = [
			(request, response) => {
				streamed([], "open")(request, response);
				late = response;
			},
			streamed([event("done", DONE)]),
		];
		const [first, second] = [ask("a"), ask("b")];
		const running = first.run(api);
		await vi.waitFor(() => expect(late).toBeDefined());
		first.stop();
		await second.run(api);
		late?.write(event("delta", { text: "late" }));
		await running;
		expect([first.text, second.text]).toEqual(["", DONE.answer]);
	});
});

describe("an investigation", () => {
	const HEAD = event("investigation", { id: "i", question: "Why?", targets: ["a", "b"], status: "running" }, 1);
	const job = (id: string, status: string, n: number): string =>
		event("job", { id, target: id, typed: id, status, indexing: null, failures: [], left_out: null }, n);

	it("goes on after the last event it has when its stream breaks", async () => {
		answers = [
			streamed([HEAD, job("a", "running", 2)], "broken"),
			streamed([job("a", "succeeded", 3)]),
			streamed([event("citations", [CITATION], 4), event("done", DONE, 5)]),
		];
		const investigating = new Investigating("i", api);
		await investigating.follow(new AbortController().signal);
		expect(seen.map((request) => request.headers["last-event-id"])).toEqual([undefined, "2", "3"]);
		expect(investigating.jobs.map(({ status }) => status)).toEqual(["succeeded"]);
		expect([investigating.phase, investigating.question, investigating.apart]).toEqual(["done", "Why?", false]);
	});

	it("waits while the server is away, and says so", async () => {
		answers = [(_request, response) => response.writeHead(503).end("{}"), streamed([HEAD, event("done", DONE, 2)])];
		const investigating = new Investigating("i", api);
		const following = investigating.follow(new AbortController().signal);
		await vi.waitFor(() => expect(investigating.apart).toBe(true));
		await following;
		expect(investigating.phase).toBe("done");
	});

	it("forgets what was said when the answer begins anew", async () => {
		answers = [
			streamed([
				HEAD,
				event("citations", [CITATION], 2),
				event("delta", { text: "Half an" }, 3),
				event("investigation", { id: "i", status: "running", restarted: true }, 4),
				event("delta", { text: "So" }, 5),
				event("error", { code: "internal", title: "x", detail: "y" }, 6),
			]),
		];
		const investigating = new Investigating("i", api);
		await investigating.follow(new AbortController().signal);
		expect([investigating.text, investigating.citations, investigating.phase]).toEqual(["So", [], "failed"]);
	});

	it("shows each target's job, also of those that never became one", async () => {
		const refused = { target: "b", status: "failed", error: { code: "invalid_target", detail: "No." } };
		answers = [streamed([HEAD, event("job", refused, 2), job("a", "queued", 3), job("a", "running", 4)], "open")];
		const investigating = new Investigating("i", api);
		const end = new AbortController();
		const following = investigating.follow(end.signal);
		await vi.waitFor(() => expect(investigating.jobs.map((one) => one.status)).toEqual(["failed", "running"]));
		expect(investigating.phase).toBe("collecting");
		end.abort();
		await following;
	});

	it("has ended when its event says so, not when that was asked for", async () => {
		let stream: ServerResponse | undefined;
		answers = [
			(request, response) => {
				streamed([HEAD], "open")(request, response);
				stream = response;
			},
			(_request, response) => response.writeHead(200, { "Content-Type": "application/json" }).end("{}"),
		];
		const investigating = new Investigating("i", api);
		const following = investigating.follow(new AbortController().signal);
		await vi.waitFor(() => expect(investigating.question).toBe("Why?"));
		investigating.stop();
		await vi.waitFor(() => expect(seen[1]?.url).toBe("/api/investigations/i/cancel"));
		expect([investigating.phase, investigating.stopping]).toEqual(["collecting", true]);
		stream?.write(event("investigation", { id: "i", status: "canceled" }, 2));
		await following;
		expect([investigating.phase, investigating.stopping]).toEqual(["stopped", false]);
	});

	it("that nobody knows is a problem", async () => {
		answers = [(_request, response) => response.writeHead(404).end(JSON.stringify({ code: "not_found" }))];
		const investigating = new Investigating("i", api);
		await investigating.follow(new AbortController().signal);
		expect([investigating.phase, investigating.problem?.code]).toEqual(["failed", "not_found"]);
	});
});
