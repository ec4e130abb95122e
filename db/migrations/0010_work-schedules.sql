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
ALTER TABLE "work_schedule_reminders" ADD CONSTRAINT "work_schedule_reminders_step_id_work_schedule_steps_id_fk" FOREIGN KEY ("step_id") REFERENCES "public"."work_schedule_steps"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_reminders" ADD CONSTRAINT "work_schedule_reminders_draft_id_notice_drafts_id_fk" FOREIGN KEY ("draft_id") REFERENCES "public"."notice_drafts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_steps" ADD CONSTRAINT "work_schedule_steps_work_schedule_id_work_schedules_id_fk" FOREIGN KEY ("work_schedule_id") REFERENCES "public"."work_schedules"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedule_steps" ADD CONSTRAINT "work_schedule_steps_draft_id_notice_drafts_id_fk" FOREIGN KEY ("draft_id") REFERENCES "public"."notice_drafts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedules" ADD CONSTRAINT "work_schedules_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "work_schedules" ADD CONSTRAINT "work_schedules_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedule_reminders_once" ON "work_schedule_reminders" USING btree ("step_id","days_before");--> statement-breakpoint
CREATE INDEX "work_schedule_reminders_due" ON "work_schedule_reminders" USING btree ("due_at") WHERE status = 'planned';--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedule_steps_once" ON "work_schedule_steps" USING btree ("work_schedule_id","key");--> statement-breakpoint
CREATE INDEX "work_schedule_steps_draft" ON "work_schedule_steps" USING btree ("draft_id");--> statement-breakpoint
CREATE UNIQUE INDEX "work_schedules_once" ON "work_schedules" USING btree ("unit_id","schedule","year");