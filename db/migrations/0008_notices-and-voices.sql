CREATE TABLE "danger_calls" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "danger_calls_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"identity_id" bigint NOT NULL,
	"person_id" bigint,
	"unit_id" bigint,
	"status" text NOT NULL,
	"stage" text NOT NULL,
	"due_at" timestamp (3) with time zone,
	"pass_on_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "danger_steps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "danger_steps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"call_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"person_id" bigint,
	"text_sealed" text,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "duty_report_rounds" (
	"period" text NOT NULL,
	"step" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "duty_report_rounds_period_step_pk" PRIMARY KEY("period","step")
);
--> statement-breakpoint
CREATE TABLE "duty_reports" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "duty_reports_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"period" text NOT NULL,
	"on_duty" integer NOT NULL,
	"left_count" integer NOT NULL,
	"on_leave" integer NOT NULL,
	"incidents" integer NOT NULL,
	"note_sealed" text,
	"reported_by" bigint NOT NULL,
	"reported_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "notice_answers" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notice_answers_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"notice_id" bigint NOT NULL,
	"unit_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"answer_sealed" text NOT NULL,
	"amount" numeric,
	"file_id" bigint,
	"answered_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "notice_drafts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notice_drafts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"author_id" bigint NOT NULL,
	"content" jsonb NOT NULL,
	"status" text NOT NULL,
	"send_at" timestamp (3) with time zone,
	"schedule_step" text,
	"decided_by" bigint,
	"decided_at" timestamp (3) with time zone,
	"reason" text,
	"notice_id" bigint,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "notice_files" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "notice_files_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"draft_id" bigint,
	"notice_id" bigint,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"mime" text NOT NULL,
	"size" integer NOT NULL,
	"hash" text NOT NULL,
	"bytes_sealed" text NOT NULL,
	"uploaded_by" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rehearsals" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "rehearsals_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"asked_by" bigint NOT NULL,
	"status" text NOT NULL,
	"settings" jsonb NOT NULL,
	"result" jsonb,
	"reason" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "call_blocks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "call_blocks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"amount" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "slip_files" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "slip_files_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"slip_id" bigint NOT NULL,
	"name" text NOT NULL,
	"mime" text NOT NULL,
	"size" integer NOT NULL,
	"bytes_sealed" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "slip_rounds" (
	"day" date PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "slip_steps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "slip_steps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"slip_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"actor_id" bigint,
	"office_id" bigint NOT NULL,
	"text_sealed" text,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "slips" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "slips_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"programme" text NOT NULL,
	"kind" text NOT NULL,
	"unit_id" bigint NOT NULL,
	"group_id" bigint,
	"reporter_id" bigint NOT NULL,
	"is_anonymous" boolean NOT NULL,
	"group_may_know" boolean DEFAULT false NOT NULL,
	"is_signed" boolean DEFAULT false NOT NULL,
	"body_sealed" text NOT NULL,
	"office_id" bigint NOT NULL,
	"about_id" bigint,
	"copy_to_id" bigint,
	"status" text NOT NULL,
	"merged_into" bigint,
	"due_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"first_answered_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "take_backs" (
	"outgoing_id" bigint NOT NULL,
	"notice_id" bigint NOT NULL,
	"outcome" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"reason" text,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "take_backs_notice_id_outgoing_id_pk" PRIMARY KEY("notice_id","outgoing_id")
);
--> statement-breakpoint
CREATE TABLE "work_schedule_reminders" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "work_schedule_reminders_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"step_id" bigint NOT NULL,
	"days_before" smallint NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"draft_id" bigint,
	"reason" text
);
--> statement-breakpoint
CREATE TABLE "work_schedule_steps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "work_schedule_steps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"work_schedule_id" bigint NOT NULL,
	"key" text NOT NULL,
	"title" text NOT NULL,
	"text" text NOT NULL,
	"source" text NOT NULL,
	"from_on" date NOT NULL,
	"to_on" date NOT NULL,
	"draft_id" bigint NOT NULL,
	"levels" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "work_schedules" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "work_schedules_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"schedule" text NOT NULL,
	"year" smallint NOT NULL,
	"status" text NOT NULL,
	"person_id" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"adopted_at" timestamp (3) with time zone
);
--> statement-breakpoint
DROP INDEX "outgoing_due";--> statement-breakpoint
DROP INDEX "persons_wechat";--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "audience" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "mode" text DEFAULT 'at-once' NOT NULL;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "link" text;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "ask" jsonb;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "kind" text DEFAULT 'notice' NOT NULL;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "about_id" bigint;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "withdrawn_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "notices" ADD COLUMN "approved_by" bigint;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "mark" integer;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "claimed_by" integer;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "calling_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "recall_ids" jsonb;--> statement-breakpoint
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_steps" ADD CONSTRAINT "danger_steps_call_id_danger_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."danger_calls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_steps" ADD CONSTRAINT "danger_steps_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duty_reports" ADD CONSTRAINT "duty_reports_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duty_reports" ADD CONSTRAINT "duty_reports_reported_by_persons_id_fk" FOREIGN KEY ("reported_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_answers" ADD CONSTRAINT "notice_answers_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_answers" ADD CONSTRAINT "notice_answers_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_answers" ADD CONSTRAINT "notice_answers_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_answers" ADD CONSTRAINT "notice_answers_file_id_notice_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."notice_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD CONSTRAINT "notice_drafts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD CONSTRAINT "notice_drafts_author_id_persons_id_fk" FOREIGN KEY ("author_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD CONSTRAINT "notice_drafts_decided_by_persons_id_fk" FOREIGN KEY ("decided_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD CONSTRAINT "notice_drafts_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_files" ADD CONSTRAINT "notice_files_draft_id_notice_drafts_id_fk" FOREIGN KEY ("draft_id") REFERENCES "public"."notice_drafts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_files" ADD CONSTRAINT "notice_files_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notice_files" ADD CONSTRAINT "notice_files_uploaded_by_persons_id_fk" FOREIGN KEY ("uploaded_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rehearsals" ADD CONSTRAINT "rehearsals_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rehearsals" ADD CONSTRAINT "rehearsals_asked_by_persons_id_fk" FOREIGN KEY ("asked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_files" ADD CONSTRAINT "slip_files_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_actor_id_persons_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_reporter_id_persons_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_about_id_units_id_fk" FOREIGN KEY ("about_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_copy_to_id_persons_id_fk" FOREIGN KEY ("copy_to_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_merged_into_slips_id_fk" FOREIGN KEY ("merged_into") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "take_backs" ADD CONSTRAINT "take_backs_outgoing_id_outgoing_messages_id_fk" FOREIGN KEY ("outgoing_id") REFERENCES "public"."outgoing_messages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "take_backs" ADD CONSTRAINT "take_backs_notice_id_notices_id_fk" FOREIGN KEY ("notice_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_reminders" ADD CONSTRAINT "work_schedule_reminders_step_id_work_schedule_steps_id_fk" FOREIGN KEY ("step_id") REFERENCES "public"."work_schedule_steps"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_reminders" ADD CONSTRAINT "work_schedule_reminders_draft_id_notice_drafts_id_fk" FOREIGN KEY ("draft_id") REFERENCES "public"."notice_drafts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_steps" ADD CONSTRAINT "work_schedule_steps_work_schedule_id_work_schedules_id_fk" FOREIGN KEY ("work_schedule_id") REFERENCES "public"."work_schedules"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_steps" ADD CONSTRAINT "work_schedule_steps_draft_id_notice_drafts_id_fk" FOREIGN KEY ("draft_id") REFERENCES "public"."notice_drafts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedules" ADD CONSTRAINT "work_schedules_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedules" ADD CONSTRAINT "work_schedules_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "danger_calls_identity" ON "danger_calls" USING btree ("identity_id");--> statement-breakpoint
CREATE INDEX "danger_calls_person" ON "danger_calls" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "danger_calls_due" ON "danger_calls" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "danger_calls_pass_on" ON "danger_calls" USING btree ("pass_on_at") WHERE pass_on_at is not null;--> statement-breakpoint
CREATE INDEX "danger_steps_call" ON "danger_steps" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "danger_steps_person" ON "danger_steps" USING btree ("person_id");--> statement-breakpoint
CREATE UNIQUE INDEX "duty_reports_current" ON "duty_reports" USING btree ("unit_id","period") WHERE replaced_at is null;--> statement-breakpoint
CREATE INDEX "duty_reports_period" ON "duty_reports" USING btree ("period");--> statement-breakpoint
CREATE UNIQUE INDEX "notice_answers_current" ON "notice_answers" USING btree ("notice_id","unit_id") WHERE replaced_at is null;--> statement-breakpoint
CREATE INDEX "notice_answers_notice" ON "notice_answers" USING btree ("notice_id");--> statement-breakpoint
CREATE INDEX "notice_drafts_author" ON "notice_drafts" USING btree ("author_id","status");--> statement-breakpoint
CREATE INDEX "notice_drafts_unit" ON "notice_drafts" USING btree ("unit_id") WHERE status in ('waiting', 'ready');--> statement-breakpoint
CREATE INDEX "notice_drafts_due" ON "notice_drafts" USING btree ("send_at") WHERE status = 'ready';--> statement-breakpoint
CREATE UNIQUE INDEX "notice_drafts_step" ON "notice_drafts" USING btree ("unit_id","schedule_step") WHERE schedule_step is not null;--> statement-breakpoint
CREATE INDEX "notice_files_draft" ON "notice_files" USING btree ("draft_id") WHERE draft_id is not null;--> statement-breakpoint
CREATE INDEX "notice_files_notice" ON "notice_files" USING btree ("notice_id") WHERE notice_id is not null;--> statement-breakpoint
CREATE INDEX "rehearsals_unit" ON "rehearsals" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "rehearsals_open" ON "rehearsals" USING btree ("id") WHERE status in ('waiting', 'running');--> statement-breakpoint
CREATE INDEX "call_blocks_recent" ON "call_blocks" USING btree ("key","at");--> statement-breakpoint
CREATE INDEX "slip_files_slip" ON "slip_files" USING btree ("slip_id");--> statement-breakpoint
CREATE INDEX "slip_steps_slip" ON "slip_steps" USING btree ("slip_id");--> statement-breakpoint
CREATE INDEX "slip_steps_office" ON "slip_steps" USING btree ("office_id");--> statement-breakpoint
CREATE UNIQUE INDEX "slip_steps_spread" ON "slip_steps" USING btree ("slip_id") WHERE kind = 'spread';--> statement-breakpoint
CREATE INDEX "slips_reporter" ON "slips" USING btree ("reporter_id");--> statement-breakpoint
CREATE INDEX "slips_copy" ON "slips" USING btree ("copy_to_id") WHERE copy_to_id is not null;--> statement-breakpoint
CREATE INDEX "slips_office" ON "slips" USING btree ("office_id","status");--> statement-breakpoint
CREATE INDEX "slips_due" ON "slips" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "slips_merged" ON "slips" USING btree ("merged_into") WHERE merged_into is not null;--> statement-breakpoint
CREATE INDEX "take_backs_message" ON "take_backs" USING btree ("outgoing_id");--> statement-breakpoint
CREATE INDEX "take_backs_open" ON "take_backs" USING btree ("next_attempt_at") WHERE settled_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedule_reminders_once" ON "work_schedule_reminders" USING btree ("step_id","days_before");--> statement-breakpoint
CREATE INDEX "work_schedule_reminders_due" ON "work_schedule_reminders" USING btree ("due_at") WHERE status = 'planned';--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedule_steps_once" ON "work_schedule_steps" USING btree ("work_schedule_id","key");--> statement-breakpoint
CREATE INDEX "work_schedule_steps_draft" ON "work_schedule_steps" USING btree ("draft_id");--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedules_once" ON "work_schedules" USING btree ("unit_id","schedule","year");--> statement-breakpoint
ALTER TABLE "notices" ADD CONSTRAINT "notices_about_id_notices_id_fk" FOREIGN KEY ("about_id") REFERENCES "public"."notices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notices" ADD CONSTRAINT "notices_approved_by_persons_id_fk" FOREIGN KEY ("approved_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "notices_about" ON "notices" USING btree ("about_id") WHERE about_id is not null;--> statement-breakpoint
CREATE INDEX "outgoing_due_of_notice" ON "outgoing_messages" USING btree ("notice_id","next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is not null;--> statement-breakpoint
CREATE INDEX "outgoing_lane" ON "outgoing_messages" USING btree ((coalesce(person_id, identity_id, group_id)),"id") WHERE status in ('pending', 'sending');--> statement-breakpoint
CREATE UNIQUE INDEX "outgoing_mark" ON "outgoing_messages" USING btree ("notice_id","mark") WHERE mark is not null;--> statement-breakpoint
CREATE INDEX "outgoing_due" ON "outgoing_messages" USING btree ((case when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
  when purpose in ('escalation', 'review', 'decision', 'pass', 'task') then 1 else 2 end),"next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is null;--> statement-breakpoint
CREATE INDEX "persons_wechat" ON "persons" USING btree ("wechat_index") WHERE wechat_index is not null;