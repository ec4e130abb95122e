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
ALTER TABLE "duty_reports" ADD CONSTRAINT "duty_reports_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "duty_reports" ADD CONSTRAINT "duty_reports_reported_by_persons_id_fk" FOREIGN KEY ("reported_by") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "duty_reports_current" ON "duty_reports" USING btree ("unit_id","period") WHERE replaced_at is null;--> statement-breakpoint
CREATE INDEX "duty_reports_period" ON "duty_reports" USING btree ("period");