CREATE TABLE "alert_verdicts" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alert_verdicts_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alert" text NOT NULL,
	"text_hash" text NOT NULL,
	"text_sealed" text NOT NULL,
	"verdict" text NOT NULL,
	"marked_by" bigint NOT NULL,
	"marked_at" timestamp (3) with time zone NOT NULL
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
ALTER TABLE "activities" ADD COLUMN "status" text DEFAULT 'held' NOT NULL;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "title" text;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "starts_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "check_in_code" text;--> statement-breakpoint
ALTER TABLE "unit_facts" ADD COLUMN "other_groups" integer;--> statement-breakpoint
ALTER TABLE "unit_facts" ADD COLUMN "members" jsonb;--> statement-breakpoint
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
CREATE UNIQUE INDEX "alert_verdicts_once" ON "alert_verdicts" USING btree ("alert","text_hash");--> statement-breakpoint
CREATE INDEX "form_returns_of" ON "form_returns" USING btree ("form","period","unit_id");--> statement-breakpoint
CREATE INDEX "unit_accounts_unit" ON "unit_accounts" USING btree ("unit_id");--> statement-breakpoint
CREATE INDEX "unit_plans_unit" ON "unit_plans" USING btree ("unit_id","year");--> statement-breakpoint
CREATE UNIQUE INDEX "activity_people_once" ON "activity_people" USING btree ("activity_id","identity_id");--> statement-breakpoint
CREATE INDEX "group_months_owner" ON "group_months" USING btree ("owner_id","month");--> statement-breakpoint
CREATE INDEX "late_changes_month" ON "late_changes" USING btree ("month","unit_id");--> statement-breakpoint
CREATE INDEX "ready_posts_unit" ON "ready_posts" USING btree ("unit_id","category");--> statement-breakpoint
CREATE INDEX "record_files_activity" ON "record_files" USING btree ("activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE INDEX "record_files_update" ON "record_files" USING btree ("update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE INDEX "unit_months_month" ON "unit_months" USING btree ("month","unit_id");--> statement-breakpoint
CREATE UNIQUE INDEX "activities_check_in" ON "activities" USING btree ("check_in_code") WHERE check_in_code is not null;--> statement-breakpoint
CREATE INDEX "activities_announced" ON "activities" USING btree ("starts_at") WHERE status = 'announced';--> statement-breakpoint
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
SELECT unit_id, month, category, source, decided_by, sum(count) FROM message_records GROUP BY 1, 2, 3, 4, 5;
