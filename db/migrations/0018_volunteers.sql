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
CREATE UNIQUE INDEX "volunteer_files_once" ON "volunteer_files" USING btree ("unit_id","person_id");--> statement-breakpoint
CREATE INDEX "volunteer_files_college" ON "volunteer_files" USING btree ("college_id") WHERE college_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_keeps_current" ON "volunteer_keeps" USING btree ("file_id","what") WHERE ended_on is null;--> statement-breakpoint
CREATE INDEX "volunteer_keeps_due" ON "volunteer_keeps" USING btree ("until_on") WHERE ended_on is null and until_on is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_mentors_current" ON "volunteer_mentors" USING btree ("file_id") WHERE until_on is null;--> statement-breakpoint
CREATE INDEX "volunteer_mentors_of" ON "volunteer_mentors" USING btree ("mentor_id") WHERE until_on is null;--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_reminders_once" ON "volunteer_reminders" USING btree ("file_id","about","on");--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_steps_once" ON "volunteer_steps" USING btree ("file_id","step");--> statement-breakpoint
CREATE INDEX "volunteer_touches_file" ON "volunteer_touches" USING btree ("file_id","on");--> statement-breakpoint
CREATE UNIQUE INDEX "volunteer_touches_update" ON "volunteer_touches" USING btree ("update_id") WHERE update_id is not null;