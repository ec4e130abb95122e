CREATE TABLE "alert_verdicts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_verdicts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert" text NOT NULL,
	"source" text NOT NULL,
	"text_hash" text NOT NULL,
	"text_sealed" text NOT NULL,
	"keeps_text" boolean DEFAULT true NOT NULL,
	"verdict" text NOT NULL,
	"unit_id" bigint,
	"claimed_by" bigint,
	"claimed_at" timestamp (3) with time zone,
	"asked_ids" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"marked_by" bigint,
	"marked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "form_reminders" (
	"form" text NOT NULL,
	"period" text NOT NULL,
	"days_before" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "form_reminders_form_period_days_before_pk" PRIMARY KEY("form","period","days_before")
);
--> statement-breakpoint
CREATE TABLE "form_returns" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "form_returns_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"form" text NOT NULL,
	"unit_id" bigint NOT NULL,
	"period" text NOT NULL,
	"due_on" date,
	"sent_at" timestamp (3) with time zone NOT NULL,
	"sent_by" bigint NOT NULL,
	"hash" text NOT NULL,
	"replaced_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "unit_accounts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "unit_accounts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"manager_name" text NOT NULL,
	"phone_sealed" text,
	"wechat_sealed" text,
	"qq_sealed" text,
	"written_by" bigint NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "unit_plans" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "unit_plans_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"fields" jsonb NOT NULL,
	"contact_sealed" text,
	"written_by" bigint NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "activity_people" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "activity_people_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"activity_id" bigint NOT NULL,
	"identity_id" bigint NOT NULL,
	"person_id" bigint,
	"signed_up_at" timestamp (3) with time zone,
	"withdrawn_at" timestamp (3) with time zone,
	"checked_in_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "closed_months" (
	"programme" text NOT NULL,
	"month" text NOT NULL,
	"closed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "closed_months_programme_month_pk" PRIMARY KEY("programme","month")
);
--> statement-breakpoint
CREATE TABLE "coached_owners" (
	"person_id" bigint PRIMARY KEY NOT NULL,
	"told_at" timestamp (3) with time zone,
	"off_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "group_months" (
	"group_id" bigint NOT NULL,
	"month" text NOT NULL,
	"owner_id" bigint NOT NULL,
	"figures" jsonb NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"reminded_at" timestamp (3) with time zone,
	"answered_at" timestamp (3) with time zone,
	"is_corrected" boolean DEFAULT false NOT NULL,
	CONSTRAINT "group_months_group_id_month_pk" PRIMARY KEY("group_id","month")
);
--> statement-breakpoint
CREATE TABLE "late_changes" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "late_changes_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"month" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_id" bigint,
	"effect" jsonb NOT NULL,
	"reason" text NOT NULL,
	"changed_by" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "month_starts" (
	"programme" text NOT NULL,
	"month" text NOT NULL,
	"begun_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "month_starts_programme_month_pk" PRIMARY KEY("programme","month")
);
--> statement-breakpoint
CREATE TABLE "owner_chat_days" (
	"channel" text NOT NULL,
	"owner_user_id" text NOT NULL,
	"day" date NOT NULL,
	"chats" integer NOT NULL,
	"new_chats" integer NOT NULL,
	"members" integer NOT NULL,
	"new_members" integer NOT NULL,
	"active_members" integer NOT NULL,
	"messages" integer NOT NULL,
	CONSTRAINT "owner_chat_days_channel_owner_user_id_day_pk" PRIMARY KEY("channel","owner_user_id","day")
);
--> statement-breakpoint
CREATE TABLE "ready_post_uses" (
	"post_id" bigint NOT NULL,
	"group_id" bigint NOT NULL,
	"used_by" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "ready_post_uses_post_id_group_id_pk" PRIMARY KEY("post_id","group_id")
);
--> statement-breakpoint
CREATE TABLE "ready_posts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ready_posts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"category" text NOT NULL,
	"body" text NOT NULL,
	"link" text,
	"written_by" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "record_count_changes" (
	"unit_id" bigint NOT NULL,
	"month" text NOT NULL,
	"category" text NOT NULL,
	"source" text NOT NULL,
	"decided_by" text NOT NULL,
	"messages" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "record_counts" (
	"unit_id" bigint NOT NULL,
	"month" text NOT NULL,
	"category" text NOT NULL,
	"source" text NOT NULL,
	"decided_by" text NOT NULL,
	"messages" integer NOT NULL,
	CONSTRAINT "record_counts_month_unit_id_category_source_decided_by_pk" PRIMARY KEY("month","unit_id","category","source","decided_by")
);
--> statement-breakpoint
CREATE TABLE "record_files" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "record_files_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"activity_id" bigint,
	"update_id" bigint,
	"name" text NOT NULL,
	"mime" text NOT NULL,
	"size" integer NOT NULL,
	"hash" text NOT NULL,
	"bytes_sealed" text NOT NULL,
	"uploaded_by" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
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
CREATE TABLE "unit_months" (
	"unit_id" bigint NOT NULL,
	"month" text NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL,
	"reminded_at" timestamp (3) with time zone,
	"signed_at" timestamp (3) with time zone,
	"signed_by" bigint,
	"figures" jsonb,
	CONSTRAINT "unit_months_unit_id_month_pk" PRIMARY KEY("unit_id","month")
);
--> statement-breakpoint
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
CREATE TABLE "awaited_pictures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "awaited_pictures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"activity_id" bigint,
	"update_id" bigint,
	"slip_id" bigint,
	"sent_by" bigint NOT NULL,
	"channel" text NOT NULL,
	"place_sealed" text NOT NULL,
	"uploaded_by" bigint NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "post_asks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "post_asks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" bigint NOT NULL,
	"day" date NOT NULL,
	"asked_at" timestamp (3) with time zone,
	"answered_at" timestamp (3) with time zone,
	"answer" text
);
--> statement-breakpoint
CREATE TABLE "post_questions" (
	"person_id" bigint PRIMARY KEY NOT NULL,
	"how" text NOT NULL,
	"set_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "slip_rounds" (
	"day" date PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_bills" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_bills_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"item_id" bigint NOT NULL,
	"run_id" bigint NOT NULL,
	"number" text NOT NULL,
	"fen" bigint NOT NULL,
	"order_sealed" text NOT NULL,
	"state" text NOT NULL,
	"is_doubtful" boolean DEFAULT false NOT NULL,
	"platform_number" text,
	"package_sealed" text,
	"fail_reason" text,
	"waiting_since" timestamp (3) with time zone,
	"told_at" timestamp (3) with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"not_found" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp (3) with time zone,
	"cancel_asked_at" timestamp (3) with time zone,
	"receipt_asked_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_comparisons" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_comparisons_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"asked_by" bigint,
	"bills" integer NOT NULL,
	"differences" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pay_ledger" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "pay_ledger_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"run_id" bigint NOT NULL,
	"bill_id" bigint,
	"item_id" bigint NOT NULL,
	"kind" text NOT NULL,
	"fen" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subsidy_budgets" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_budgets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"fen" bigint NOT NULL,
	"set_by" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subsidy_claims" (
	"kind" text NOT NULL,
	"person_id" bigint NOT NULL,
	"item_id" bigint NOT NULL,
	CONSTRAINT "subsidy_claims_kind_person_id_pk" PRIMARY KEY("kind","person_id")
);
--> statement-breakpoint
CREATE TABLE "subsidy_items" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_items_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"name" text NOT NULL,
	"place" text NOT NULL,
	"is_out_of_province" boolean NOT NULL,
	"starts_on" date NOT NULL,
	"fen" bigint NOT NULL,
	"identity_id" bigint,
	"left_out_reason" text
);
--> statement-breakpoint
CREATE TABLE "subsidy_mornings" (
	"unit_id" bigint NOT NULL,
	"day" date NOT NULL,
	CONSTRAINT "subsidy_mornings_unit_id_day_pk" PRIMARY KEY("unit_id","day")
);
--> statement-breakpoint
CREATE TABLE "subsidy_runs" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "subsidy_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"year" integer NOT NULL,
	"way" text NOT NULL,
	"status" text NOT NULL,
	"made_by" bigint NOT NULL,
	"made_at" timestamp (3) with time zone NOT NULL,
	"submitted_at" timestamp (3) with time zone,
	"content_hash" text,
	"checked_by" bigint,
	"checked_at" timestamp (3) with time zone,
	"reason" text
);
--> statement-breakpoint
CREATE TABLE "volunteer_files" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_files_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"unit_id" bigint NOT NULL,
	"person_id" bigint NOT NULL,
	"college_id" bigint,
	"year" integer,
	"created_by" bigint,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volunteer_keeps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_keeps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"file_id" bigint NOT NULL,
	"what" text NOT NULL,
	"since_on" date NOT NULL,
	"until_on" date,
	"ended_on" date,
	"written_by" bigint NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volunteer_mentors" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_mentors_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"file_id" bigint NOT NULL,
	"mentor_id" bigint NOT NULL,
	"since_on" date NOT NULL,
	"until_on" date,
	"assigned_by" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volunteer_reminders" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_reminders_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"file_id" bigint NOT NULL,
	"about" text NOT NULL,
	"on" date NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volunteer_steps" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_steps_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"file_id" bigint NOT NULL,
	"step" text NOT NULL,
	"on" date NOT NULL,
	"written_by" bigint NOT NULL,
	"written_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "volunteer_touches" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "volunteer_touches_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"file_id" bigint NOT NULL,
	"on" date NOT NULL,
	"noted_by" bigint NOT NULL,
	"noted_at" timestamp (3) with time zone NOT NULL,
	"update_id" bigint,
	"note_sealed" text
);
--> statement-breakpoint
DROP INDEX "registrations_unit";--> statement-breakpoint
DROP INDEX "groups_unit";--> statement-breakpoint
DROP INDEX "outgoing_due";--> statement-breakpoint
ALTER TABLE "danger_calls" ADD COLUMN "pass_on_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "notice_answers" ADD COLUMN "standing" text DEFAULT 'owner' NOT NULL;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD COLUMN "calls" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "notice_drafts" ADD COLUMN "call_again_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "outgoing_messages" ADD COLUMN "chases" jsonb;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "status" text DEFAULT 'held' NOT NULL;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "title" text;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "starts_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "check_in_code" text;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "reminded_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "outcome_asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "confirmed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "unit_facts" ADD COLUMN "other_groups" integer;--> statement-breakpoint
ALTER TABLE "unit_facts" ADD COLUMN "members" jsonb;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD COLUMN "outgoing_id" bigint;--> statement-breakpoint
ALTER TABLE "slips" ADD COLUMN "group_may_know" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "slips" ADD COLUMN "is_signed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD CONSTRAINT "alert_verdicts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD CONSTRAINT "alert_verdicts_claimed_by_persons_id_fk" FOREIGN KEY ("claimed_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "alert_verdicts" ADD CONSTRAINT "alert_verdicts_marked_by_persons_id_fk" FOREIGN KEY ("marked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_returns" ADD CONSTRAINT "form_returns_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "form_returns" ADD CONSTRAINT "form_returns_sent_by_persons_id_fk" FOREIGN KEY ("sent_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_accounts" ADD CONSTRAINT "unit_accounts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_accounts" ADD CONSTRAINT "unit_accounts_written_by_persons_id_fk" FOREIGN KEY ("written_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_plans" ADD CONSTRAINT "unit_plans_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_plans" ADD CONSTRAINT "unit_plans_written_by_persons_id_fk" FOREIGN KEY ("written_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "activity_people" ADD CONSTRAINT "activity_people_activity_id_activities_id_fk" FOREIGN KEY ("activity_id") REFERENCES "public"."activities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "activity_people" ADD CONSTRAINT "activity_people_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "activity_people" ADD CONSTRAINT "activity_people_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "coached_owners" ADD CONSTRAINT "coached_owners_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_months" ADD CONSTRAINT "group_months_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "group_months" ADD CONSTRAINT "group_months_owner_id_persons_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "late_changes" ADD CONSTRAINT "late_changes_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "late_changes" ADD CONSTRAINT "late_changes_changed_by_persons_id_fk" FOREIGN KEY ("changed_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ready_post_uses" ADD CONSTRAINT "ready_post_uses_post_id_ready_posts_id_fk" FOREIGN KEY ("post_id") REFERENCES "public"."ready_posts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ready_post_uses" ADD CONSTRAINT "ready_post_uses_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ready_post_uses" ADD CONSTRAINT "ready_post_uses_used_by_persons_id_fk" FOREIGN KEY ("used_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ready_posts" ADD CONSTRAINT "ready_posts_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ready_posts" ADD CONSTRAINT "ready_posts_written_by_persons_id_fk" FOREIGN KEY ("written_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "record_files" ADD CONSTRAINT "record_files_activity_id_activities_id_fk" FOREIGN KEY ("activity_id") REFERENCES "public"."activities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "record_files" ADD CONSTRAINT "record_files_uploaded_by_persons_id_fk" FOREIGN KEY ("uploaded_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_months" ADD CONSTRAINT "unit_months_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "unit_months" ADD CONSTRAINT "unit_months_signed_by_persons_id_fk" FOREIGN KEY ("signed_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_activity_id_activities_id_fk" FOREIGN KEY ("activity_id") REFERENCES "public"."activities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_uploaded_by_persons_id_fk" FOREIGN KEY ("uploaded_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_asks" ADD CONSTRAINT "post_asks_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_questions" ADD CONSTRAINT "post_questions_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_bills" ADD CONSTRAINT "pay_bills_item_id_subsidy_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."subsidy_items"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_bills" ADD CONSTRAINT "pay_bills_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_comparisons" ADD CONSTRAINT "pay_comparisons_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pay_comparisons" ADD CONSTRAINT "pay_comparisons_asked_by_persons_id_fk" FOREIGN KEY ("asked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_budgets" ADD CONSTRAINT "subsidy_budgets_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_budgets" ADD CONSTRAINT "subsidy_budgets_set_by_persons_id_fk" FOREIGN KEY ("set_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_claims" ADD CONSTRAINT "subsidy_claims_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_claims" ADD CONSTRAINT "subsidy_claims_item_id_subsidy_items_id_fk" FOREIGN KEY ("item_id") REFERENCES "public"."subsidy_items"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_run_id_subsidy_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."subsidy_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_items" ADD CONSTRAINT "subsidy_items_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_mornings" ADD CONSTRAINT "subsidy_mornings_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_made_by_persons_id_fk" FOREIGN KEY ("made_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subsidy_runs" ADD CONSTRAINT "subsidy_runs_checked_by_persons_id_fk" FOREIGN KEY ("checked_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_files" ADD CONSTRAINT "volunteer_files_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_files" ADD CONSTRAINT "volunteer_files_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_files" ADD CONSTRAINT "volunteer_files_college_id_units_id_fk" FOREIGN KEY ("college_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_files" ADD CONSTRAINT "volunteer_files_created_by_persons_id_fk" FOREIGN KEY ("created_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_keeps" ADD CONSTRAINT "volunteer_keeps_file_id_volunteer_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."volunteer_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_keeps" ADD CONSTRAINT "volunteer_keeps_written_by_persons_id_fk" FOREIGN KEY ("written_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_mentors" ADD CONSTRAINT "volunteer_mentors_file_id_volunteer_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."volunteer_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_mentors" ADD CONSTRAINT "volunteer_mentors_mentor_id_persons_id_fk" FOREIGN KEY ("mentor_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_mentors" ADD CONSTRAINT "volunteer_mentors_assigned_by_persons_id_fk" FOREIGN KEY ("assigned_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_reminders" ADD CONSTRAINT "volunteer_reminders_file_id_volunteer_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."volunteer_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_steps" ADD CONSTRAINT "volunteer_steps_file_id_volunteer_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."volunteer_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_steps" ADD CONSTRAINT "volunteer_steps_written_by_persons_id_fk" FOREIGN KEY ("written_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_touches" ADD CONSTRAINT "volunteer_touches_file_id_volunteer_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."volunteer_files"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "volunteer_touches" ADD CONSTRAINT "volunteer_touches_noted_by_persons_id_fk" FOREIGN KEY ("noted_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alert_verdicts_once" ON "alert_verdicts" USING btree ("alert","text_hash");--> statement-breakpoint
CREATE INDEX "alert_verdicts_claimed" ON "alert_verdicts" USING btree ("claimed_by") WHERE claimed_by is not null;--> statement-breakpoint
CREATE INDEX "alert_verdicts_unit" ON "alert_verdicts" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "alert_verdicts_asked" ON "alert_verdicts" USING btree ("claimed_at") WHERE verdict = 'asked';--> statement-breakpoint
CREATE INDEX "form_returns_of" ON "form_returns" USING btree ("form","period","unit_id");--> statement-breakpoint
CREATE UNIQUE INDEX "form_returns_current" ON "form_returns" USING btree ("form","period","unit_id") WHERE replaced_at is null;--> statement-breakpoint
CREATE INDEX "unit_accounts_unit" ON "unit_accounts" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "unit_plans_unit" ON "unit_plans" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "unit_plans_current" ON "unit_plans" USING btree ("unit_id","year") WHERE replaced_at is null;--> statement-breakpoint
CREATE UNIQUE INDEX "activity_people_once" ON "activity_people" USING btree ("activity_id","identity_id");--> statement-breakpoint
CREATE INDEX "activity_people_identity" ON "activity_people" USING btree ("identity_id");--> statement-breakpoint
CREATE INDEX "activity_people_person" ON "activity_people" USING btree ("person_id") WHERE person_id is not null;--> statement-breakpoint
CREATE INDEX "group_months_owner" ON "group_months" USING btree ("owner_id","month");--> statement-breakpoint
CREATE INDEX "group_months_unanswered" ON "group_months" USING btree ("month","owner_id") WHERE answered_at is null;--> statement-breakpoint
CREATE INDEX "late_changes_month" ON "late_changes" USING btree ("month","unit_id");--> statement-breakpoint
CREATE INDEX "owner_chat_days_day" ON "owner_chat_days" USING btree ("channel","day");--> statement-breakpoint
CREATE INDEX "ready_posts_unit" ON "ready_posts" USING btree ("unit_id","category");--> statement-breakpoint
CREATE INDEX "record_files_activity" ON "record_files" USING btree ("activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE INDEX "record_files_update" ON "record_files" USING btree ("update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE INDEX "record_files_person" ON "record_files" USING btree ("uploaded_by");--> statement-breakpoint
CREATE UNIQUE INDEX "record_files_proof_once" ON "record_files" USING btree ("hash","update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "record_files_photo_once" ON "record_files" USING btree ("hash","activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE INDEX "unit_months_month" ON "unit_months" USING btree ("month","unit_id");--> statement-breakpoint
CREATE INDEX "notice_count_changes_notice" ON "notice_count_changes" USING btree ("notice_id");--> statement-breakpoint
CREATE UNIQUE INDEX "awaited_pictures_once" ON "awaited_pictures" USING btree ("sent_by");--> statement-breakpoint
CREATE INDEX "awaited_pictures_due" ON "awaited_pictures" USING btree ("next_attempt_at");--> statement-breakpoint
CREATE INDEX "awaited_pictures_person" ON "awaited_pictures" USING btree ("uploaded_by");--> statement-breakpoint
CREATE INDEX "awaited_pictures_update" ON "awaited_pictures" USING btree ("update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE INDEX "awaited_pictures_slip" ON "awaited_pictures" USING btree ("slip_id") WHERE slip_id is not null;--> statement-breakpoint
CREATE INDEX "awaited_pictures_activity" ON "awaited_pictures" USING btree ("activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "post_asks_once" ON "post_asks" USING btree ("person_id","day");--> statement-breakpoint
CREATE UNIQUE INDEX "pay_bills_number" ON "pay_bills" USING btree ("number");--> statement-breakpoint
CREATE UNIQUE INDEX "pay_bills_live" ON "pay_bills" USING btree ("item_id") WHERE state not in ('failed', 'cancelled');--> statement-breakpoint
CREATE INDEX "pay_bills_due" ON "pay_bills" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "pay_bills_run" ON "pay_bills" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_comparisons_run" ON "pay_comparisons" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_ledger_run" ON "pay_ledger" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "pay_ledger_year" ON "pay_ledger" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "pay_ledger_once" ON "pay_ledger" USING btree ("bill_id","kind") WHERE bill_id is not null;--> statement-breakpoint
CREATE INDEX "subsidy_budgets_of" ON "subsidy_budgets" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "subsidy_items_once" ON "subsidy_items" USING btree ("run_id","person_id");--> statement-breakpoint
CREATE INDEX "subsidy_items_person" ON "subsidy_items" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "subsidy_runs_unit" ON "subsidy_runs" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_files_once" ON "volunteer_files" USING btree ("unit_id","person_id");--> statement-breakpoint
CREATE INDEX "volunteer_files_college" ON "volunteer_files" USING btree ("college_id") WHERE college_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_keeps_current" ON "volunteer_keeps" USING btree ("file_id","what") WHERE ended_on is null;--> statement-breakpoint
CREATE INDEX "volunteer_keeps_due" ON "volunteer_keeps" USING btree ("until_on") WHERE ended_on is null and until_on is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_mentors_current" ON "volunteer_mentors" USING btree ("file_id") WHERE until_on is null;--> statement-breakpoint
CREATE INDEX "volunteer_mentors_of" ON "volunteer_mentors" USING btree ("mentor_id") WHERE until_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_reminders_once" ON "volunteer_reminders" USING btree ("file_id","about","on");--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_steps_once" ON "volunteer_steps" USING btree ("file_id","step");--> statement-breakpoint
CREATE INDEX "volunteer_touches_file" ON "volunteer_touches" USING btree ("file_id","on");--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_touches_update" ON "volunteer_touches" USING btree ("update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE INDEX "danger_calls_person" ON "danger_calls" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "danger_calls_pass_on" ON "danger_calls" USING btree ("pass_on_at") WHERE pass_on_at is not null;--> statement-breakpoint
CREATE INDEX "notice_drafts_call" ON "notice_drafts" USING btree ("call_again_at") WHERE status = 'waiting' and call_again_at is not null;--> statement-breakpoint
CREATE INDEX "notices_author" ON "notices" USING btree ("author_id","issued_at");--> statement-breakpoint
CREATE INDEX "notices_unanswered_of" ON "notices" USING btree (((audience ->> 'unansweredOf')::bigint)) WHERE audience ? 'unansweredOf';--> statement-breakpoint
CREATE INDEX "activities_of_month" ON "activities" USING btree ("month");--> statement-breakpoint
CREATE UNIQUE INDEX "activities_check_in" ON "activities" USING btree ("check_in_code") WHERE check_in_code is not null;--> statement-breakpoint
CREATE INDEX "activities_announced" ON "activities" USING btree ("starts_at") WHERE status = 'announced';--> statement-breakpoint
CREATE INDEX "activities_reporter" ON "activities" USING btree ("reported_by","id") WHERE reported_by is not null;--> statement-breakpoint
CREATE INDEX "message_records_reporter" ON "message_records" USING btree ("reported_by","update_id") WHERE reported_by is not null;--> statement-breakpoint
CREATE INDEX "registrations_counted" ON "registrations" USING btree ("unit_id","occupation","registered_at");--> statement-breakpoint
CREATE INDEX "slip_steps_outgoing" ON "slip_steps" USING btree ("outgoing_id") WHERE outgoing_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "slip_steps_spread" ON "slip_steps" USING btree ("slip_id") WHERE kind = 'spread';--> statement-breakpoint
CREATE INDEX "groups_unit" ON "groups" USING btree ("unit_id","created_at","dissolved_at");--> statement-breakpoint
CREATE INDEX "outgoing_due" ON "outgoing_messages" USING btree ((case when purpose = 'danger' then -1
  when kind in ('welcome', 'response') or purpose in ('welcome', 'reply') then 0
  when purpose in ('escalation', 'review', 'decision', 'pass', 'task') then 1 else 2 end),"next_attempt_at","id") WHERE status in ('pending', 'retrying') and notice_id is null;--> statement-breakpoint
CREATE FUNCTION count_new_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO record_count_changes (unit_id, month, category, source, decided_by, messages)
  SELECT unit_id, month, category, source, decided_by, sum(count) FROM new_rows GROUP BY 1, 2, 3, 4, 5;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE FUNCTION count_old_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO record_count_changes (unit_id, month, category, source, decided_by, messages)
  SELECT unit_id, month, category, source, decided_by, -sum(count) FROM old_rows GROUP BY 1, 2, 3, 4, 5;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE FUNCTION count_changed_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO record_count_changes (unit_id, month, category, source, decided_by, messages)
  SELECT unit_id, month, category, source, decided_by, sum(count) FROM (
    SELECT unit_id, month, category, source, decided_by, count FROM new_rows
    UNION ALL
    SELECT unit_id, month, category, source, decided_by, -count FROM old_rows
  ) AS both_rows GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER message_records_counted_in AFTER INSERT ON message_records
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_records();--> statement-breakpoint
CREATE TRIGGER message_records_counted_out AFTER DELETE ON message_records
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_old_records();--> statement-breakpoint
CREATE TRIGGER message_records_counted_anew AFTER UPDATE ON message_records
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_changed_records();--> statement-breakpoint
INSERT INTO record_counts (unit_id, month, category, source, decided_by, messages)
SELECT unit_id, month, category, source, decided_by, sum(count) FROM message_records GROUP BY 1, 2, 3, 4, 5;--> statement-breakpoint
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
FROM deliveries d JOIN groups g ON g.id = d.group_id GROUP BY 1;--> statement-breakpoint
INSERT INTO subtree_record_counts (unit_id, month, category, source, decided_by, messages)
SELECT above.id::bigint, c.month, c.category, c.source, c.decided_by, sum(c.messages)
FROM record_counts c JOIN units u ON u.id = c.unit_id
CROSS JOIN LATERAL unnest(string_to_array(trim(BOTH '/' FROM u.path), '/')) AS above (id)
GROUP BY 1, 2, 3, 4, 5;--> statement-breakpoint
CREATE FUNCTION refuse_pay_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the ledger of payments is append-only';
END $$;--> statement-breakpoint
CREATE TRIGGER pay_ledger_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pay_ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_pay_ledger_change();
