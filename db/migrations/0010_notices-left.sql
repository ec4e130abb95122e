CREATE TABLE "notice_count_changes" (
	"notice_id" bigint NOT NULL,
	"groups" integer NOT NULL,
	"posted" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notice_counts" (
	"notice_id" bigint PRIMARY KEY NOT NULL,
	"groups" integer NOT NULL,
	"posted" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "notice_answers" ADD COLUMN "standing" text DEFAULT 'owner' NOT NULL;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD COLUMN "calls" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD COLUMN "call_again_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "chases" jsonb;--> statement-breakpoint
CREATE INDEX "notice_count_changes_notice" ON "notice_count_changes" USING btree ("notice_id");--> statement-breakpoint
CREATE INDEX "notice_drafts_call" ON "notice_drafts" USING btree ("call_again_at") WHERE status = 'waiting' and call_again_at is not null;--> statement-breakpoint
CREATE INDEX "notices_author" ON "notices" USING btree ("author_id","issued_at");--> statement-breakpoint
CREATE INDEX "notices_unanswered_of" ON "notices" USING btree (((audience ->> 'unansweredOf')::bigint)) WHERE audience ? 'unansweredOf';--> statement-breakpoint
CREATE FUNCTION count_new_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notice_count_changes (notice_id, groups, posted)
  SELECT notice_id, count(*) FILTER (WHERE status <> 'withdrawn'), count(*) FILTER (WHERE status = 'posted')
  FROM new_rows GROUP BY 1;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE FUNCTION count_changed_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- most changes are of deliveries that stay open
  IF NOT EXISTS (SELECT FROM new_rows WHERE status IN ('posted', 'withdrawn'))
    AND NOT EXISTS (SELECT FROM old_rows WHERE status IN ('posted', 'withdrawn')) THEN
    RETURN NULL;
  END IF;
  -- the two lists are not joined: the plan is kept, and made for a few rows it would not end with half a million
  INSERT INTO notice_count_changes (notice_id, groups, posted)
  SELECT d.notice_id,
    coalesce(sum(d.sign) FILTER (WHERE d.status = 'posted' OR d.status <> 'withdrawn' AND g.dissolved_at IS NULL), 0),
    coalesce(sum(d.sign) FILTER (WHERE d.status = 'posted'), 0)
  FROM (
    SELECT notice_id, group_id, status, 1 AS sign FROM new_rows
    UNION ALL
    SELECT notice_id, group_id, status, -1 FROM old_rows
  ) AS d JOIN groups g ON g.id = d.group_id
  GROUP BY 1
  HAVING sum(d.sign) FILTER (WHERE d.status = 'posted' OR d.status <> 'withdrawn' AND g.dissolved_at IS NULL) <> 0
    OR sum(d.sign) FILTER (WHERE d.status = 'posted') <> 0;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE FUNCTION count_deliveries_of_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- locked, so that one that is posted at this moment counts once
  INSERT INTO notice_count_changes (notice_id, groups, posted)
  SELECT d.notice_id, CASE WHEN NEW.dissolved_at IS NULL THEN 1 ELSE -1 END, 0
  FROM units u JOIN notices n ON n.unit_id = ANY (string_to_array(trim(BOTH '/' FROM u.path), '/')::bigint[])
  CROSS JOIN LATERAL (
    SELECT notice_id, status FROM deliveries WHERE notice_id = n.id AND group_id = NEW.id FOR UPDATE
  ) AS d
  WHERE u.id = NEW.unit_id AND d.status NOT IN ('posted', 'withdrawn');
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER deliveries_counted_in AFTER INSERT ON deliveries
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_deliveries();--> statement-breakpoint
CREATE TRIGGER deliveries_counted_anew AFTER UPDATE ON deliveries
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_deliveries();--> statement-breakpoint
CREATE TRIGGER groups_counted AFTER UPDATE OF dissolved_at ON groups FOR EACH ROW
  WHEN ((OLD.dissolved_at IS NULL) <> (NEW.dissolved_at IS NULL)) EXECUTE FUNCTION count_deliveries_of_group();--> statement-breakpoint
INSERT INTO notice_counts (notice_id, groups, posted)
SELECT d.notice_id, count(*) FILTER (WHERE d.status = 'posted' OR d.status <> 'withdrawn' AND g.dissolved_at IS NULL),
  count(*) FILTER (WHERE d.status = 'posted')
FROM deliveries d JOIN groups g ON g.id = d.group_id GROUP BY 1;
