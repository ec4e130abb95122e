CREATE TABLE "awaited_pictures" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "awaited_pictures_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"activity_id" bigint,
	"update_id" bigint,
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
ALTER TABLE "activities" ADD COLUMN "reminded_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "activities" ADD COLUMN "outcome_asked_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_activity_id_activities_id_fk" FOREIGN KEY ("activity_id") REFERENCES "public"."activities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "awaited_pictures" ADD CONSTRAINT "awaited_pictures_uploaded_by_persons_id_fk" FOREIGN KEY ("uploaded_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_asks" ADD CONSTRAINT "post_asks_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "post_questions" ADD CONSTRAINT "post_questions_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "awaited_pictures_once" ON "awaited_pictures" USING btree ("sent_by");--> statement-breakpoint
CREATE INDEX "awaited_pictures_due" ON "awaited_pictures" USING btree ("next_attempt_at");--> statement-breakpoint
CREATE INDEX "awaited_pictures_person" ON "awaited_pictures" USING btree ("uploaded_by");--> statement-breakpoint
CREATE INDEX "awaited_pictures_update" ON "awaited_pictures" USING btree ("update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE INDEX "awaited_pictures_activity" ON "awaited_pictures" USING btree ("activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "post_asks_once" ON "post_asks" USING btree ("person_id","day");--> statement-breakpoint
CREATE INDEX "activity_people_identity" ON "activity_people" USING btree ("identity_id");--> statement-breakpoint
CREATE INDEX "activity_people_person" ON "activity_people" USING btree ("person_id") WHERE person_id is not null;--> statement-breakpoint
CREATE INDEX "owner_chat_days_day" ON "owner_chat_days" USING btree ("channel","day");--> statement-breakpoint
CREATE INDEX "record_files_person" ON "record_files" USING btree ("uploaded_by");--> statement-breakpoint
CREATE UNIQUE INDEX "record_files_proof_once" ON "record_files" USING btree ("hash","update_id") WHERE update_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "record_files_photo_once" ON "record_files" USING btree ("hash","activity_id") WHERE activity_id is not null;--> statement-breakpoint
CREATE INDEX "activities_reporter" ON "activities" USING btree ("reported_by","id") WHERE reported_by is not null;--> statement-breakpoint
CREATE INDEX "message_records_reporter" ON "message_records" USING btree ("reported_by","update_id") WHERE reported_by is not null;