import fc from "fast-check";
import { expect, test } from "vitest";
import { dateOf, endOf, inWords, startOf } from "./scopes";

test("a day begins and ends within itself", () => {
	fc.assert(
		fc.property(
			fc.date({ min: new Date("1000-01-02"), max: new Date("9998-12-30"), noInvalidDate: true }),
			(moment) => {
				const date = dateOf(moment.toISOString());
				expect(dateOf(startOf(date))).toBe(date);
				expect(dateOf(endOf(date))).toBe(date);
				expect(Date.parse(startOf(date) ?? "")).toBeLessThanOrEqual(moment.getTime());
				expect(Date.parse(endOf(date) ?? "")).toBeGreaterThanOrEqual(moment.getTime());
			},
		),
	);
	expect([startOf(""), endOf("soon"), dateOf(null)]).toEqual([null, null, ""]);
});

test("a scope is told in words", () => {
	expect(inWords({ filters: {}, asOf: null })).toEqual([]);
	expect(inWords({ filters: { platforms: ["twitter", "web"] }, asOf: "2026-01-31T12:00:00Z" })).toEqual([
		"X, Web",
		"as of Jan 31, 2026",
	]);
});
