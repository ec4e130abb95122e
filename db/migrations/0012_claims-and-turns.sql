CREATE TABLE "call_blocks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "call_blocks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"amount" integer NOT NULL
);
--> statement-breakpoint
DROP INDEX "outgoing_due";--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "claimed_by" integer;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "calling_since" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "call_blocks_recent" ON "call_blocks" USING btree ("key","at");--> statement-breakpoint
CREATE INDEX "outgoing_due_of_notice" ON "outgoing_messages" USING btree ("notice_id","next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is not null;--> statement-breakpoint
CREATE INDEX "outgoing_lane" ON "outgoing_messages" USING btree ((coalesce(person_id, identity_id, group_id)),"id") WHERE status in ('pending', 'sending');--> statement-breakpoint
CREATE INDEX "outgoing_due" ON "outgoing_messages" USING btree ((case when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
  when purpose in ('escalation', 'review', 'decision', 'pass', 'task') then 1 else 2 end),"next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is null;