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
	"body_sealed" text NOT NULL,
	"office_id" bigint NOT NULL,
	"about_id" bigint,
	"status" text NOT NULL,
	"merged_into" bigint,
	"due_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"first_answered_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "slip_files" ADD CONSTRAINT "slip_files_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_slip_id_slips_id_fk" FOREIGN KEY ("slip_id") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_actor_id_persons_id_fk" FOREIGN KEY ("actor_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slip_steps" ADD CONSTRAINT "slip_steps_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_group_id_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_reporter_id_persons_id_fk" FOREIGN KEY ("reporter_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_office_id_units_id_fk" FOREIGN KEY ("office_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_about_id_units_id_fk" FOREIGN KEY ("about_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slips" ADD CONSTRAINT "slips_merged_into_slips_id_fk" FOREIGN KEY ("merged_into") REFERENCES "public"."slips"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "slip_files_slip" ON "slip_files" USING btree ("slip_id");--> statement-breakpoint
CREATE INDEX "slip_steps_slip" ON "slip_steps" USING btree ("slip_id");--> statement-breakpoint
CREATE INDEX "slip_steps_office" ON "slip_steps" USING btree ("office_id");--> statement-breakpoint
CREATE INDEX "slips_reporter" ON "slips" USING btree ("reporter_id");--> statement-breakpoint
CREATE INDEX "slips_office" ON "slips" USING btree ("office_id","status");--> statement-breakpoint
CREATE INDEX "slips_due" ON "slips" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "slips_merged" ON "slips" USING btree ("merged_into") WHERE merged_into is not null;