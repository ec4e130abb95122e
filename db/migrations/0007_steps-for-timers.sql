-- what notices under way still have before them becomes their steps
UPDATE "notices" n SET "steps" = t.steps FROM (
	SELECT "notice_id", jsonb_agg(jsonb_build_object('at', "due_at", 'to', CASE "kind" WHEN 'remind_owner' THEN 'owner' ELSE 'unit' END) ORDER BY "due_at", "id") AS steps
	FROM "timers" WHERE "done_at" IS NULL GROUP BY "notice_id"
) t WHERE t."notice_id" = n."id";--> statement-breakpoint
UPDATE "deliveries" d SET "due_at" = (n."steps" -> 0 ->> 'at')::timestamptz FROM "notices" n
	WHERE n."id" = d."notice_id" AND d."status" <> 'posted' AND jsonb_array_length(n."steps") > 0;--> statement-breakpoint
DROP TABLE "timers" CASCADE;
