DROP INDEX "outgoing_due";--> statement-breakpoint
ALTER TABLE "alert_verdicts" ALTER COLUMN "marked_by" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ALTER COLUMN "marked_at" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "source" text NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "keeps_text" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "unit_id" bigint;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "claimed_by" bigint;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "claimed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD COLUMN "asked_ids" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD COLUMN "slip_id" bigint;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD COLUMN "outgoing_id" bigint;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD CONSTRAINT "alert_verdicts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD CONSTRAINT "alert_verdicts_claimed_by_persons_id_fk" FOREIGN KEY ("claimed_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "alert_verdicts_claimed" ON "alert_verdicts" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "alert_verdicts_unit" ON "alert_verdicts" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "alert_verdicts_asked" ON "alert_verdicts" USING btree ("claimed_at") WHERE verdict = 'asked';--> statement-breakpoint
CREATE INDEX "awaited_pictures_slip" ON "awaited_pictures" USING btree ("slip_id") WHERE slip_id is not null;--> statement-breakpoint
CREATE INDEX "slip_steps_outgoing" ON "slip_steps" USING btree ("outgoing_id") WHERE outgoing_id is not null;--> statement-breakpoint
CREATE INDEX "outgoing_due" ON "outgoing_messages" USING btree ((case when purpose = 'danger' then -1
  when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
  when purpose in ('escalation', 'review', 'decision', 'pass', 'task') then 1 else 2 end),"next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is null;