CREATE TABLE "danger_calls" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "danger_calls_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"identity_id" bigint NOT NULL,
	"person_id" bigint,
	"unit_id" bigint,
	"status" text NOT NULL,
	"stage" text NOT NULL,
	"due_at" timestamp (3) with time zone,
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
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_identity_id_identities_id_fk" FOREIGN KEY ("identity_id") REFERENCES "public"."identities"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_calls" ADD CONSTRAINT "danger_calls_unit_id_units_id_fk" FOREIGN KEY ("unit_id") REFERENCES "public"."units"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_steps" ADD CONSTRAINT "danger_steps_call_id_danger_calls_id_fk" FOREIGN KEY ("call_id") REFERENCES "public"."danger_calls"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "danger_steps" ADD CONSTRAINT "danger_steps_person_id_persons_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."persons"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "danger_calls_identity" ON "danger_calls" USING btree ("identity_id");--> statement-breakpoint
CREATE INDEX "danger_calls_due" ON "danger_calls" USING btree ("due_at") WHERE due_at is not null;--> statement-breakpoint
CREATE INDEX "danger_steps_call" ON "danger_steps" USING btree ("call_id");--> statement-breakpoint
CREATE INDEX "danger_steps_person" ON "danger_steps" USING btree ("person_id");