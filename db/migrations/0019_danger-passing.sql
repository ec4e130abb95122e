ALTER TABLE "danger_calls" ADD COLUMN "pass_on_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "danger_calls_person" ON "danger_calls" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "danger_calls_pass_on" ON "danger_calls" USING btree ("pass_on_at") WHERE pass_on_at is not null;