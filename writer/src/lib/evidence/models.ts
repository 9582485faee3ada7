import type { Schemas } from "$lib/api/client";

export type Hit = Schemas["HitOut"];
