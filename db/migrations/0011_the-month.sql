CREATE TABLE "subtree_record_counts" (
	"unit_id" bigint NOT NULL,
	"month" text NOT NULL,
	"category" text NOT NULL,
	"source" text NOT NULL,
	"decided_by" text NOT NULL,
	"messages" integer NOT NULL,
	CONSTRAINT "subtree_record_counts_key" PRIMARY KEY("unit_id","month","category","source","decided_by")
);
--> statement-breakpoint
CREATE INDEX "group_months_unanswered" ON "group_months" USING btree ("month","owner_id") WHERE answered_at is null;--> statement-breakpoint
CREATE INDEX "activities_of_month" ON "activities" USING btree ("month");--> statement-breakpoint
INSERT INTO subtree_record_counts (unit_id, month, category, source, decided_by, messages)
SELECT above.id::bigint, c.month, c.category, c.source, c.decided_by, sum(c.messages)
FROM record_counts c JOIN units u ON u.id = c.unit_id
CROSS JOIN LATERAL unnest(string_to_array(trim(BOTH '/' FROM u.path), '/')) AS above (id)
GROUP BY 1, 2, 3, 4, 5;
